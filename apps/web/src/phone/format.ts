import type { LanguageTag } from '../i18n/languages.js';

/** `14:05` as the language writes it. */
export const clockTime = (at: Date, language: LanguageTag): string =>
  new Intl.DateTimeFormat(language, { hour: '2-digit', minute: '2-digit' }).format(at);

/** `28.5483, 77.2513`: the same digits and order in every language, as maps take them. */
export const coordinates = (lat: number, lng: number): string => `${lat.toFixed(4)}, ${lng.toFixed(4)}`;

/** A name inside a sentence of another direction: what `<bdi>` is where only plain text goes. */
export const isolate = (name: string): string => `\u2068${name}\u2069`;

/** Up to two letters for the round picture of somebody who has none. */
export const initials = (name: string): string =>
  name
    .trim()
    .split(/\s+/)
    .slice(0, 2)
    .map((word) => Array.from(word)[0] ?? '')
    .join('')
    .toUpperCase();

export const codePoints = (text: string): number => Array.from(text).length;
