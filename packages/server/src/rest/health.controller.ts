import { Controller, Inject, Res } from '@nestjs/common';
import { Health } from '../ops/health.js';
import { Route } from './route.js';

/** For load balancers and supervisors; no key. */
@Controller()
export class HealthController {
  constructor(@Inject(Health) private readonly health: Health) {}

  @Route('GET /health/live')
  live() {
    return { status: 'ok' };
  }

  @Route('GET /health/ready')
  async ready(@Res({ passthrough: true }) response: { status(code: number): void }) {
    const readiness = await this.health.readiness();
    if (readiness.status === 'unavailable') response.status(503);
    return readiness;
  }
}
