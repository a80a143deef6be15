import type { MessageKind, SenderScope } from '@curbline/contract';

/** Small numbers that stand for words of the contract in the log's rows. Never renumbered. */
const SCOPE_CODES = { system: 0, driver: 1, customer: 2, support: 3 } as const satisfies Record<
  SenderScope,
  number
>;
const KIND_CODES = { text: 1, canned: 2, location: 3, attachment: 4, system: 5 } as const satisfies Record<
  MessageKind,
  number
>;

const invert = <W extends string>(codes: Record<W, number>) =>
  new Map<number, W>((Object.entries(codes) as [W, number][]).map(([word, code]) => [code, word]));
const scopes = invert(SCOPE_CODES);
const kinds = invert(KIND_CODES);

export const scopeCode = (scope: SenderScope): number => SCOPE_CODES[scope];
export const kindCode = (kind: MessageKind): number => KIND_CODES[kind];

const wordOf = <W>(words: Map<number, W>, code: number): W => {
  const word = words.get(code);
  if (word === undefined) throw new Error(`a row holds the code ${code}, which no word has`);
  return word;
};
export const scopeOf = (code: number): SenderScope => wordOf(scopes, code);
export const kindOf = (code: number): MessageKind => wordOf(kinds, code);
