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
    this.inner = padded(key, 0x36);
    this.outer = padded(key, 0x5c);
  }

  /** The payload of a token that is plainly good; undefined for any other. */
  payload(token: string): JWTPayload | undefined {
    const [header, body, signature, ...more] = token.split('.', 4);
    if (header === undefined || body === undefined || signature === undefined || more.length > 0)
      return undefined;
    if (signature.length !== SIGNATURE_LENGTH || !BASE64URL.test(body) || !this.isPlain(header))
      return undefined;
    const expected = this.mac(`${header}.${body}`);
    const given = Buffer.from(signature);
    if (given.length !== SIGNATURE_LENGTH || !timingSafeEqual(Buffer.from(expected), given)) return undefined;
    return currentPayload(body);
  }

  /**
   * HMAC-SHA256 (RFC 2104) of ASCII, in base64url. As two digests: to make one of Node's `Hmac` objects costs a handshake
   * more than the hashing itself.
   */
  private mac(text: string): string {
    const bytes = Buffer.allocUnsafe(BLOCK_BYTES + text.length);
    this.inner.copy(bytes);
    bytes.write(text, BLOCK_BYTES, 'latin1');
    hash('sha256', bytes, 'buffer').copy(this.outer, BLOCK_BYTES);
    return hash('sha256', this.outer, 'base64url');
  }

  private isPlain(header: string): boolean {
    const known = this.headers.get(header);
    if (known !== undefined) return known;
    const found = BASE64URL.test(header) && isPlainHeader(objectIn(header));
    if (this.headers.size >= MAX_HEADERS) this.headers.clear();
    this.headers.set(header, found);
    return found;
  }
}

/** A block of the key, with room for a digest behind it. */
function padded(key: Uint8Array, pad: number): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES + DIGEST_BYTES, pad, 'latin1');
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
