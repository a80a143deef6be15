import { Inject, Injectable } from '@nestjs/common';
import type { PersonRef } from '../actor.js';
import { Fanout } from '../fanout/fanout.js';
import { RevocationsStore } from '../store/revocations.store.js';

/** Ends a person's sessions: the host's answer to a stolen phone or a dismissed driver. */
@Injectable()
export class RevocationService {
  constructor(
    @Inject(RevocationsStore) private readonly store: RevocationsStore,
    @Inject(Fanout) private readonly fanout: Fanout,
  ) {}

  /** Refuses every token issued until now, then closes the sockets; they are told not to come back. */
  async revoke(person: PersonRef): Promise<void> {
    await this.store.revoke(person, Math.floor(Date.now() / 1_000));
    this.fanout.endPerson(person, 'revoked');
  }
}
