import { hash, timingSafeEqual } from 'node:crypto';
import type { JWTPayload } from 'jose';

const BASE64URL = /^[\w-]+$/;
/** HMAC-SHA256 in base64url. */
const SIGNATURE_LENGTH = 43;
/** Members that change what a token means (RFC 7515, RFC 7797) are jose's affair. */
const PLAIN_MEMBERS = new Set(['alg', 'typ', 'kid']);
const MAX_HEADERS = 64;
/** Of SHA-256. */
const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;
/** Header and body of the longest token that is looked at. */
const MAX_SIGNED_BYTES = 8_192;
const MS_PER_S = 1_000;

/**
 * A first look at tokens of the shared secret, without a thread of the crypto pool: takes what is plainly good
 * (HS256, a header without surprises, the exact signature, times that are numbers and right) and nothing else. It refuses
 * nothing: whatever it does not take is for jose, which alone says what is wrong. A property test holds that jose
 * accepts all that is taken here, with the same payload.
 */
export class PlainTokens {
  private readonly inner: Buffer;
  private readonly outer: Buffer;
  /** Headers that were seen: an issuer writes the same one on all of its tokens. */
  private readonly headers = new Map<string, boolean>();

  constructor(secret: string) {
    const bytes = Buffer.from(secret, 'utf8');
    const key = bytes.length > BLOCK_BYTES ? hash('sha256', bytes, 'buffer') : bytes;
    this.inner = padded(key, 0x36, MAX_SIGNED_BYTES);
    this.outer = padded(key, 0x5c, DIGEST_BYTES);
  }

  /** The payload of a token that is plainly good; undefined for any other. */
  payload(token: string): JWTPayload | undefined {
    const bodyAt = token.indexOf('.') + 1;
    const signatureAt = token.lastIndexOf('.') + 1;
    if (bodyAt === 0 || signatureAt === bodyAt || token.length - signatureAt !== SIGNATURE_LENGTH)
      return undefined;
    const body = token.slice(bodyAt, signatureAt - 1);
    const signature = token.slice(signatureAt);
    // All of it ASCII from here on, one byte a letter.
    if (!BASE64URL.test(body) || !BASE64URL.test(signature) || signatureAt > MAX_SIGNED_BYTES)
      return undefined;
    if (!this.isPlain(token.slice(0, bodyAt - 1))) return undefined;
    expected.write(this.mac(token.slice(0, signatureAt - 1)), 'latin1');
    given.write(signature, 'latin1');
    return timingSafeEqual(expected, given) ? currentPayload(body) : undefined;
  }

  /**
   * HMAC-SHA256 (RFC 2104) of ASCII, in base64url. As two digests: to make one of Node's `Hmac` objects costs a handshake
   * more than the hashing itself. Nothing is allocated for it but what comes out.
   */
  private mac(text: string): string {
    this.inner.write(text, BLOCK_BYTES, 'latin1');
    this.outer.write(
      hash('sha256', this.inner.subarray(0, BLOCK_BYTES + text.length), 'latin1'),
      BLOCK_BYTES,
      'latin1',
    );
    return hash('sha256', this.outer, 'base64url');
  }

  private isPlain(header: string): boolean {
    const known = this.headers.get(header);
    if (known !== undefined) return known;
    const found = BASE64URL.test(header) && isPlainHeader(objectIn(header));
    if (this.headers.size >= MAX_HEADERS) this.headers.clear();
    // A copy: a part of a token keeps the whole of it in memory.
    this.headers.set(Buffer.from(header).toString(), found);
    return found;
  }
}

/** Filled anew for each token, and compared at once. */
const expected = Buffer.alloc(SIGNATURE_LENGTH);
const given = Buffer.alloc(SIGNATURE_LENGTH);

/** A block of the key, with room for what is hashed behind it. */
function padded(key: Uint8Array, pad: number, room: number): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES + room, pad);
  for (const [index, byte] of key.entries()) block[index] = byte ^ pad;
  return block;
}

const isPlainHeader = (header: Record<string, unknown> | undefined): boolean =>
  header !== undefined &&
  header['alg'] === 'HS256' &&
  Object.entries(header).every(([name, value]) => PLAIN_MEMBERS.has(name) && typeof value === 'string');

/** What is signed, when it counts now. */
function currentPayload(body: string): JWTPayload | undefined {
  const payload = objectIn(body);
  if (payload === undefined) return undefined;
  const { exp, nbf, iat, sub } = payload;
  const nowS = Math.floor(Date.now() / MS_PER_S);
  if (typeof exp !== 'number' || !Number.isFinite(exp) || exp <= nowS || sub === undefined) return undefined;
  if (nbf !== undefined && (typeof nbf !== 'number' || nbf > nowS)) return undefined;
  if (iat !== undefined && typeof iat !== 'number') return undefined;
  return payload;
}

function objectIn(part: string): Record<string, unknown> | undefined {
  try {
    const bytes = Buffer.from(part, 'base64url');
    const value: unknown = JSON.parse(utf8.decode(bytes));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    // Not JSON in UTF-8: jose finds the words for it.
    return undefined;
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true });
