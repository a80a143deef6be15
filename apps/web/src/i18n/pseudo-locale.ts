const ACCENTED: Readonly<Record<string, string>> = Object.fromEntries(
  Array.from('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ').map((letter, index) => [
    letter,
    Array.from('àƀçđéƒĝĥîĵķļɱñôƥɋŕšŧûṽŵẋýžÀƁÇĐÉƑĜĤÎĴĶĻṀÑÔƤɊŔŠŦÛṼŴẊÝŽ')[index] ?? letter,
  ]),
);

/** What must stay as it is: `{{name}}` and `{name}` of parameters, tags. */
const KEPT = /(\{\{.*?\}\}|\{.*?\}|<\/?\w+>)/;

/** `Send` becomes `[Šéñđ~]`: a third longer, and its brackets show a string that was cut or never translated. */
export function pseudo(text: string): string {
  const accented = text
    .split(KEPT)
    .map((part, index) =>
      index % 2 === 1 ? part : part.replace(/[a-z]/gi, (letter) => ACCENTED[letter] ?? letter),
    )
    .join('');
  return `[${accented}${'~'.repeat(Math.ceil(text.length * 0.3))}]`;
}

/** A nested table of strings, as a locale file holds it. */
export interface Strings {
  readonly [key: string]: string | Strings;
}

export const pseudoStrings = (strings: Strings): Strings =>
  Object.fromEntries(
    Object.entries(strings).map(([key, value]) => [
      key,
      typeof value === 'string' ? pseudo(value) : pseudoStrings(value),
    ]),
  );
