import { SCOPES, type Scope } from '@curbline/contract';
import { Inject, Injectable } from '@nestjs/common';
import { createRemoteJWKSet, decodeProtectedHeader, errors, jwtVerify, SignJWT, type JWTPayload } from 'jose';
import { ChatError } from '../chat-error.js';
import { CHAT_OPTIONS, type ChatOptions } from '../chat.options.js';
import type { Identity } from './identity.js';
import { IdentityCache } from './identity-cache.js';
import { PlainTokens } from './plain-tokens.js';

const HMAC = ['HS256'];
const KEY_SET = ['RS256', 'ES256', 'EdDSA'];
/** A key that is not known may be new: the key set is asked for it, but not more often than this, whoever knocks. */
const KEY_SET_PAUSE_MS = 3_000;
const MAX_TOKEN_LENGTH = 8_192;
const MAX_ID_CODE_POINTS = 128;
const MAX_NAME_CODE_POINTS = 200;
/** The last second that a `Date` can name. */
const MAX_EXP_S = 8_640_000_000_000;

/** Checks and issues user tokens: a shared secret (HS256 only) or a key set (RS256, ES256, EdDSA). */
@Injectable()
export class TokenVerifier {
  /** Imported once: jose would import raw bytes anew for each token, which doubles what a check costs. */
  private readonly secret: Promise<CryptoKey> | undefined;
  private readonly plain: PlainTokens | undefined;
  private readonly checked = new IdentityCache();
  private readonly keySet: ReturnType<typeof createRemoteJWKSet> | undefined;

  constructor(@Inject(CHAT_OPTIONS) { tokens }: ChatOptions) {
    this.secret = tokens.secret === undefined ? undefined : importSecret(tokens.secret);
    this.plain = tokens.secret === undefined ? undefined : new PlainTokens(tokens.secret);
    this.keySet =
      tokens.jwksUrl === undefined
        ? undefined
        : createRemoteJWKSet(new URL(tokens.jwksUrl), { cooldownDuration: KEY_SET_PAUSE_MS });
  }

  /** Throws `unauthenticated` for every token that is not good, with one sentence of why. */
  async verify(token: unknown): Promise<Identity> {
    if (typeof token !== 'string' || token === '' || token.length > MAX_TOKEN_LENGTH)
      throw refused('it is not a token');
    const plain = this.plain?.payload(token);
    if (plain) return identityOf(plain);
    const known = this.checked.get(token);
    if (known) return known;
    const identity = identityOf(await this.payload(token));
    this.checked.keep(token, identity);
    return identity;
  }

  /** A token for a person, signed with the shared secret. */
  async issue(
    person: { user_id: string; scope: Scope; name?: string | undefined },
    ttlS: number,
  ): Promise<{ token: string; expiresAt: Date }> {
    if (!this.secret) {
      throw new ChatError('not_found', {
        message: 'Tokens are issued by the identity provider behind the key set.',
      });
    }
    const nowS = Math.floor(Date.now() / 1_000);
    const token = await new SignJWT({
      scope: person.scope,
      ...(person.name !== undefined && { name: person.name }),
    })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setSubject(person.user_id)
      .setIssuedAt(nowS)
      .setExpirationTime(nowS + ttlS)
      .setJti(crypto.randomUUID())
      .sign(await this.secret);
    return { token, expiresAt: new Date((nowS + ttlS) * 1_000) };
  }

  private async payload(token: string): Promise<JWTPayload> {
    const alg = algorithmOf(token);
    try {
      // The key decides the algorithms, never the token: a public key must not be taken for a shared secret.
      if (this.secret && (alg === 'HS256' || !this.keySet)) {
        return (
          await jwtVerify(token, await this.secret, { algorithms: HMAC, requiredClaims: ['exp', 'sub'] })
        ).payload;
      }
      if (!this.keySet) throw refused('no key is configured');
      return (await jwtVerify(token, this.keySet, { algorithms: KEY_SET, requiredClaims: ['exp', 'sub'] }))
        .payload;
    } catch (error) {
      if (error instanceof ChatError) throw error;
      if (isKeySetTrouble(error)) {
        throw new ChatError('unavailable', {
          message: 'The key set cannot be reached.',
          cause: error,
          retryAfterMs: 1_000,
        });
      }
      throw refused(error instanceof errors.JWTExpired ? 'it has expired' : 'it is not valid', error);
    }
  }
}

const importSecret = (secret: string): Promise<CryptoKey> =>
  crypto.subtle.importKey('raw', new TextEncoder().encode(secret), { name: 'HMAC', hash: 'SHA-256' }, false, [
    'sign',
    'verify',
  ]);

function algorithmOf(token: string): unknown {
  try {
    return decodeProtectedHeader(token).alg;
  } catch (error) {
    throw refused('it is not valid', error);
  }
}

/** Not the token's fault: no answer, not 200, not a key set. What jose does not name comes from the network. */
const isKeySetTrouble = (error: unknown): boolean =>
  !(error instanceof errors.JOSEError) ||
  error instanceof errors.JWKSTimeout ||
  error instanceof errors.JWKSInvalid ||
  error.code === errors.JOSEError.code;

function identityOf(payload: JWTPayload): Identity {
  const { sub, exp, iat, scope, name } = payload;
  const isScope = (value: unknown): value is Scope => SCOPES.includes(value as Scope);
  if (typeof exp !== 'number' || !Number.isFinite(exp)) throw refused('it has no exp');
  if (exp > MAX_EXP_S) throw refused('its exp is no time');
  if (!isId(sub)) throw refused('its sub is not a user id');
  if (!isScope(scope)) throw refused('its scope is unknown');
  return {
    user_id: sub,
    scope,
    expires_at_s: exp,
    ...(typeof iat === 'number' && { issued_at_s: iat }),
    ...(isName(name) && { name }),
  };
}

const refused = (why: string, cause?: unknown): ChatError =>
  new ChatError('unauthenticated', { message: `The token was refused: ${why}.`, cause });

const isText = (value: unknown, maxCodePoints: number): value is string =>
  typeof value === 'string' &&
  value !== '' &&
  value.isWellFormed() &&
  !value.includes('\u0000') &&
  [...value].length <= maxCodePoints;
const isId = (value: unknown): value is string => isText(value, MAX_ID_CODE_POINTS);
const isName = (value: unknown): value is string => isText(value, MAX_NAME_CODE_POINTS);
