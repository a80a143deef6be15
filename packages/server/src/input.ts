import type { InvalidDetail } from '@curbline/contract';
import type { z } from 'zod';
import { ChatError } from './chat-error.js';

const dotted = (path: readonly PropertyKey[]): string => path.map(String).join('.');

/** Who gets that much wrong does not need the rest spelled out; a stranger's mistakes must not make an answer of megabytes. */
const MAX_DETAILS = 20;

/** Parses what came over the wire by its schema of the contract; throws `invalid` with one detail for each field, at most 20. */
export function parseInput<T>(schema: z.ZodType<T>, input: unknown): T {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  throw ChatError.invalid(parsed.error.issues.slice(0, MAX_DETAILS).flatMap(detailsOf).slice(0, MAX_DETAILS));
}

function detailsOf(issue: z.core.$ZodIssue): InvalidDetail[] {
  if (issue.code !== 'unrecognized_keys') return [{ path: dotted(issue.path), message: issue.message }];
  // What a stranger wrote as a key is not echoed at full length.
  return issue.keys
    .slice(0, MAX_DETAILS)
    .map((key) => ({ path: dotted([...issue.path, key.slice(0, 64)]), message: 'unknown field' }));
}
