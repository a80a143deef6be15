/**
 * Limits of the wire, each with its unit in the name. Free of the schema library.
 * Source: the contract, sections 4, 7 and 10.
 */
export const LIMITS = Object.freeze({
  /** Code points of an id of the host: booking, driver, customer. */
  idMaxCodePoints: 128,
  /** Code points of a text message, counted in NFC. */
  textMaxCodePoints: 4_000,
  labelMaxCodePoints: 200,
  nameMaxCodePoints: 200,
  pageDefault: 50,
  pageMax: 200,
  syncBookingsMax: 50,
  metadataMaxBytes: 4_096,
  restBodyMaxBytes: 1_048_576,
  typingExpiresMs: 6_000,
  typingEveryMs: 2_000,
  locationEveryMs: 1_000,
  tokenExpiringBeforeMs: 60_000,
  tokenTtlDefaultS: 3_600,
  tokenTtlMaxS: 86_400,
  /** `seq` stays far below 2^53, so that every client language can hold it. */
  seqMax: 2_147_483_647,
} as const);
