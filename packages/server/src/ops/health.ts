import { Inject, Injectable } from '@nestjs/common';

/** What readiness asks: throws when the part cannot do its work now. */
export interface HealthCheck {
  readonly name: string;
  readonly check: () => Promise<void>;
}

/** Injection token of the checks. */
export const HEALTH_CHECKS = Symbol('curbline.health-checks');

/** The body of `/health/ready`. */
export interface Readiness {
  status: 'ok' | 'unavailable';
  checks: Record<string, 'ok' | 'unavailable'>;
}

/** Can this node serve now? */
@Injectable()
export class Health {
  constructor(@Inject(HEALTH_CHECKS) private readonly checks: readonly HealthCheck[]) {}

  async readiness(): Promise<Readiness> {
    const results = await Promise.all(
      this.checks.map(async ({ name, check }) => {
        try {
          await check();
          return [name, 'ok'] as const;
        } catch {
          // Why is in the log of whatever failed; a balancer needs the word only.
          return [name, 'unavailable'] as const;
        }
      }),
    );
    const status = results.every(([, result]) => result === 'ok') ? 'ok' : 'unavailable';
    return { status, checks: Object.fromEntries(results) };
  }
}
