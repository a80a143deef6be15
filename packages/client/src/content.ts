import type { PayloadInput } from '@curbline/contract';
import { CurblineError } from './curbline-error.js';
import type { Content } from './types.js';

/** The server ends whoever sends a larger packet; nothing of the contract comes near. */
const MAX_BYTES = 60_000;

/** What an app says, as the wire spells it. */
export const commandOf = (content: Content): Pick<PayloadInput<'message.send'>, 'kind' | 'body'> => {
  if (typeof content !== 'object' || content === null) throw invalid('', 'an object is expected');
  if ('text' in content) return { kind: 'text', body: { text: content.text } };
  if ('location' in content) return { kind: 'location', body: content.location };
  return { kind: 'canned', body: { key: content.canned, ...(content.params && { params: content.params }) } };
};

/** Throws `invalid`, as the server would if it could read so much. */
export const boundSize = (body: object): void => {
  // Three at most for each character that is not ASCII.
  const bytes = JSON.stringify(body).replaceAll(/[^ -~]/g, '___').length;
  if (bytes > MAX_BYTES) throw invalid('body', `at most ${MAX_BYTES} bytes`);
};

const invalid = (path: string, message: string): CurblineError =>
  new CurblineError('invalid', `The message is invalid: ${message}.`, { details: [{ path, message }] });
