/** A language of the page or of one phone. `en-XA` is the pseudo-locale: longer, accented, in brackets. */
export interface Language {
  readonly tag: string;
  /** Written in the language itself: the same in every language of the page. */
  readonly name: string;
  readonly dir: 'ltr' | 'rtl';
}

export const LANGUAGES = [
  { tag: 'en', name: 'English', dir: 'ltr' },
  { tag: 'hi', name: 'हिन्दी', dir: 'ltr' },
  { tag: 'ar', name: 'العربية', dir: 'rtl' },
  { tag: 'es', name: 'Español', dir: 'ltr' },
  { tag: 'en-XA', name: 'Ƥşḗŭḓǿ', dir: 'ltr' },
] as const satisfies readonly Language[];

export type LanguageTag = (typeof LANGUAGES)[number]['tag'];

export const isLanguageTag = (tag: unknown): tag is LanguageTag =>
  LANGUAGES.some((language) => language.tag === tag);

export const dirOf = (tag: LanguageTag): 'ltr' | 'rtl' =>
  LANGUAGES.find((language) => language.tag === tag)?.dir ?? 'ltr';

/** The first language of the reader's list that the page speaks. */
export function preferredLanguage(wanted: readonly string[]): LanguageTag {
  for (const tag of wanted) {
    const known = LANGUAGES.find((language) => language.tag === tag || language.tag === tag.split('-')[0]);
    if (known !== undefined) return known.tag;
  }
  return 'en';
}
