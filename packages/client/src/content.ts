import type { PayloadInput } from '@curbline/contract';
import type { Content } from './types.js';

/** What an app says, as the wire spells it. */
export const commandOf = (content: Content): Pick<PayloadInput<'message.send'>, 'kind' | 'body'> => {
  if ('text' in content) return { kind: 'text', body: { text: content.text } };
  if ('location' in content) return { kind: 'location', body: content.location };
  return { kind: 'canned', body: { key: content.canned, ...(content.params && { params: content.params }) } };
};
