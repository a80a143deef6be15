import { z } from 'zod';
import { LIMITS } from './limits.js';
import { SCOPES } from './names.js';

const codePoints = (text: string): number => {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
};

/**
 * Text that PostgreSQL and every client language can hold unchanged: no NUL, no lone surrogate.
 * Both would be refused or changed on the way, so they are refused here, before anyone sees them.
 */
const storable = (text: string): boolean => !text.includes('\u0000') && text.isWellFormed();

const sized = (min: number, max: number) => (text: string) => {
  // A code point has one or two UTF-16 units: only strings in between need the exact count.
  if (text.length < min) return false;
  if (text.length <= max) return true;
  return text.length <= max * 2 && codePoints(text) <= max;
};

const storableText = (min: number, max: number, what: string) =>
  z
    .string()
    .refine(storable, { message: `${what} must not hold NUL or lone surrogates`, abort: true })
    .refine(sized(min, max), { message: `${what} must have ${min} to ${max} characters` })
    .meta({ minLength: min, maxLength: max });

/** An id of the host's: any string of 1 to 128 code points, never interpreted. */
export const Id = storableText(1, LIMITS.idMaxCodePoints, 'an id');

/** A short name or label for people. */
export const Label = storableText(1, LIMITS.labelMaxCodePoints, 'a label');

/** Any UUID, in either case; answers echo it as it was sent, repeats in another case are the same id. */
export const ClientId = z.guid();

/** Position in a booking's log: 1, 2, 3 … */
export const Seq = z.int().min(1).max(LIMITS.seqMax);

/** A position to read from or to: 0 means before the first message. */
export const SeqBound = z.int().min(0).max(LIMITS.seqMax);

/** A position that a client names: past the end is as good as the end. */
export const SeqAsked = z
  .int()
  .min(0)
  .overwrite((seq) => Math.min(seq, LIMITS.seqMax));

/** Page size: 1 to 200; larger numbers are clamped to 200. */
export const PageLimit = z
  .int()
  .min(1)
  .default(LIMITS.pageDefault)
  .transform((limit) => Math.min(limit, LIMITS.pageMax));

/** An opaque cursor from a `next_cursor`. */
export const Cursor = storableText(1, 512, 'a cursor');

/** ISO 8601 in UTC with milliseconds. */
export const Time = z.iso.datetime({ precision: 3 });

export const ScopeSchema = z.enum(SCOPES);

/** Degrees, WGS 84. */
export const Latitude = z.number().min(-90).max(90);
export const Longitude = z.number().min(-180).max(180);

/**
 * Putting marks in canonical order takes time that grows with the square of their number: 32,000 of them would stop
 * everything for seconds. No script stacks more than a few; Unicode's stream-safe form (UAX 15) allows 30.
 */
const MAX_MARKS_IN_A_ROW = 64;
// Begins before the marks, so that each pile is looked at once.
const markPile = new RegExp(String.raw`(?:^|\P{M})\p{M}{${MAX_MARKS_IN_A_ROW + 1}}`, 'u');
const hasMarkPile = (text: string): boolean => text.length > MAX_MARKS_IN_A_ROW && markPile.test(text);
/** Code points, of two UTF-16 units at most, that NFC composes into one. */
const NFC_MAX_SHRINK = 4;

const textSize = `text must have 1 to ${LIMITS.textMaxCodePoints} characters`;
const blank = /^[\p{White_Space}]*$/u;

/**
 * The text of a message: stored and shown in NFC, 1 to 4,000 code points after it, not only white space.
 * Normalising here makes the live event, the history and the comparison of repeats one string.
 */
export const MessageText = z
  .string()
  .refine(storable, { message: 'text must not hold NUL or lone surrogates', abort: true })
  .refine((text) => text.length <= LIMITS.textMaxCodePoints * 2 * NFC_MAX_SHRINK, {
    message: textSize,
    abort: true,
  })
  .refine((text) => !hasMarkPile(text), {
    message: `text must have at most ${MAX_MARKS_IN_A_ROW} combining marks in a row`,
    abort: true,
  })
  .transform((text) => text.normalize('NFC'))
  .refine(sized(1, LIMITS.textMaxCodePoints), { message: textSize, abort: true })
  .refine((text) => !blank.test(text), { message: 'text must not be only white space' })
  .meta({ minLength: 1, maxLength: LIMITS.textMaxCodePoints });
