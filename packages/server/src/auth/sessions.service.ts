import { LIMITS, type Result } from '@curbline/contract';
import { Inject, Injectable } from '@nestjs/common';
import type { Actor } from '../actor.js';
import { ChatError } from '../chat-error.js';
import { Authenticator } from './authenticator.js';

/** What happens to a socket whose token ends. */
export interface SessionListener {
  expiring(socketId: string, expiresAt: Date): void;
  expired(socketId: string): void;
}

interface Session {
  expiresAtMs: number;
  warned: boolean;
}

const TICK_MS = 250;

/** Tokens live shorter than sockets: one clock for all of them warns before the end, and ends them at it. */
@Injectable()
export class SessionsService {
  private readonly sessions = new Map<string, Session>();
  private listener: SessionListener | undefined;
  private timer: NodeJS.Timeout | undefined;
  /** Before that, none has to be warned or ended. */
  private nextMs = Number.POSITIVE_INFINITY;

  constructor(@Inject(Authenticator) private readonly authenticator: Authenticator) {}

  start(listener: SessionListener): void {
    this.listener = listener;
    this.timer = setInterval(() => this.tick(Date.now()), TICK_MS);
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** A socket lives as long as its token. A token shorter than the warning is warned of at once. */
  add(socketId: string, expiresAtS: number): void {
    const session: Session = { expiresAtMs: expiresAtS * 1_000, warned: false };
    this.sessions.set(socketId, session);
    this.check(socketId, session, Date.now());
  }

  remove(socketId: string): void {
    this.sessions.delete(socketId);
  }

  /** Takes a new token for the live socket; it must be the same person's. */
  async refresh(actor: Actor, token: string): Promise<Result<'token.refresh'>> {
    const identity = await this.authenticator.identify(token);
    if (identity.user_id !== actor.user_id || identity.scope !== actor.scope)
      throw new ChatError('forbidden');
    const expires_at = new Date(identity.expires_at_s * 1_000).toISOString();
    // A socket that has gone meanwhile must not be brought back by its last answer.
    if (this.sessions.has(actor.socketId)) this.add(actor.socketId, identity.expires_at_s);
    return { expires_at };
  }

  /** Ten thousand sessions are not gone through four times a second for nothing. */
  private tick(nowMs: number): void {
    if (nowMs < this.nextMs) return;
    this.nextMs = Number.POSITIVE_INFINITY;
    for (const [socketId, session] of this.sessions) this.check(socketId, session, nowMs);
  }

  private check(socketId: string, session: Session, nowMs: number): void {
    const { expiresAtMs } = session;
    const warnsAtMs = expiresAtMs - LIMITS.tokenExpiringBeforeMs;
    if (nowMs >= expiresAtMs) {
      this.sessions.delete(socketId);
      this.listener?.expired(socketId);
      return;
    }
    if (nowMs >= warnsAtMs && !session.warned) {
      session.warned = true;
      this.listener?.expiring(socketId, new Date(expiresAtMs));
    }
    this.nextMs = Math.min(this.nextMs, session.warned ? expiresAtMs : warnsAtMs);
  }
}
