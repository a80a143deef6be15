import { Inject, Injectable } from '@nestjs/common';
import { ChatError } from '../chat-error.js';
import { REVOCATIONS, type RevocationSource } from './revocation-source.js';
import type { Identity } from './identity.js';
import { TokenVerifier } from './token-verifier.js';

/** Who is calling: a good token of a person whose tokens were not revoked since. */
@Injectable()
export class Authenticator {
  constructor(
    @Inject(TokenVerifier) private readonly verifier: TokenVerifier,
    @Inject(REVOCATIONS) private readonly revocations: RevocationSource,
  ) {}

  /** Throws `unauthenticated`, or `unavailable` when revocations cannot be asked. */
  async identify(token: unknown): Promise<Identity> {
    const identity = await this.verifier.verify(token);
    const revokedAtS = await this.revocations.revokedAt(identity);
    if (revokedAtS !== undefined && !isIssuedAfter(identity, revokedAtS)) {
      throw new ChatError('unauthenticated', { message: 'The token was revoked.' });
    }
    return identity;
  }
}

/**
 * Up to and including that second, whatever fraction of it the token names; one that does not say when it was issued
 * may be an old one.
 */
const isIssuedAfter = ({ issued_at_s }: Identity, revokedAtS: number): boolean =>
  issued_at_s !== undefined && Math.floor(issued_at_s) > revokedAtS;
