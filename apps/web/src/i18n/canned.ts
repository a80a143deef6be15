import { DEFAULT_CANNED } from '@curbline/client';
import type { LanguageTag } from './languages.js';
import { pseudo } from './pseudo-locale.js';

/** A canned message in a reader's language: plain words, and parameters that keep their own direction. */
export type CannedPart = { readonly text: string } | { readonly param: string };

export interface CannedText {
  readonly parts: readonly CannedPart[];
  /** The language of the words: English when the catalogue does not speak the reader's. */
  readonly lang: string;
}

/** A key that this client does not know (a host may have its own catalogue) is shown as it is. */
export function cannedText(
  key: string,
  params: Readonly<Record<string, number | string>>,
  tag: LanguageTag,
): CannedText {
  const entry = DEFAULT_CANNED[key];
  if (entry === undefined) return { parts: [{ param: key }], lang: 'en' };
  const own = entry.text[tag];
  const english = entry.text['en'] ?? key;
  const template = own ?? (tag === 'en-XA' ? pseudo(english) : english);
  const numbers = new Intl.NumberFormat(tag);
  // A number and the word of its unit belong together: `2 min` neither breaks nor turns around.
  const parts = template.split(/\{(\w+)\}( \S+)?/).flatMap((piece, index, pieces): CannedPart[] => {
    if (piece === undefined || index % 3 === 2) return [];
    if (index % 3 === 0) return [{ text: piece }];
    const value = params[piece];
    const shown = typeof value === 'number' ? numbers.format(value) : (value ?? piece);
    const next = pieces[index + 1] ?? '';
    return entry.params[piece]?.unit === undefined
      ? [{ param: shown }, { text: next }]
      : [{ param: shown + next }];
  });
  return {
    parts: parts.filter((part) => !('text' in part) || part.text !== ''),
    lang: own === undefined && tag !== 'en-XA' ? 'en' : tag,
  };
}

/** The same as one string, for announcements and names of buttons. */
export const cannedString = (canned: CannedText): string =>
  canned.parts.map((part) => ('text' in part ? part.text : part.param)).join('');
