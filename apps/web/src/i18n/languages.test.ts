import { expect, test } from 'vitest';
import { cannedString, cannedText } from './canned.js';
import { translator } from './i18n.js';
import { dirOf, preferredLanguage } from './languages.js';
import ar from './locales/ar.json' with { type: 'json' };
import en from './locales/en.json' with { type: 'json' };
import es from './locales/es.json' with { type: 'json' };
import hi from './locales/hi.json' with { type: 'json' };
import { pseudo, pseudoStrings, type Strings } from './pseudo-locale.js';

/** `phone.send` → `Send`; forms of one plural count as one. */
const flat = (strings: Strings, prefix = ''): [string, string][] =>
  Object.entries(strings).flatMap(([key, value]) =>
    typeof value === 'string'
      ? [[`${prefix}${key}`, value] as [string, string]]
      : flat(value, `${prefix}${key}.`),
  );
const FORMS = /_(zero|one|two|few|many|other)$/;
const keys = (strings: Strings) =>
  [...new Set(flat(strings).map(([key]) => key.replace(FORMS, '_*')))].sort();
const marks = (text: string) => (text.match(/\{\{\w+\}\}|<\/?\w+>/g) ?? []).sort();

test.each([
  ['hi', hi],
  ['ar', ar],
  ['es', es],
])('%s says all that English says, with the same parameters', (tag, strings) => {
  expect(keys(strings)).toEqual(keys(en));
  const english = new Map(flat(en));
  for (const [key, text] of flat(strings)) {
    if (FORMS.test(key)) continue;
    expect(marks(text), key).toEqual(marks(english.get(key) ?? ''));
    // Only what is a name everywhere may stay in English.
    if (!['network.on'].includes(key)) expect(text, key).not.toBe(english.get(key));
  }
  const forms = flat(strings)
    .filter(([key]) => key.startsWith('phone.waiting_'))
    .map(([key]) => key.replace('phone.waiting_', ''));
  expect(forms.sort()).toEqual(new Intl.PluralRules(tag).resolvedOptions().pluralCategories.sort());
});

test('the pseudo-locale is longer, in brackets, and keeps parameters and tags', () => {
  expect(pseudo('Send')).toBe('[Šéñđ~~]');
  expect(pseudo('until <bdi>{{time}}</bdi>')).toMatch(/^\[ûñŧîļ <bdi>\{\{time\}\}<\/bdi>~+\]$/);
  for (const [, text] of flat(pseudoStrings(en))) expect(text).toMatch(/^\[.*~\]$/s);
  expect(translator('en-XA')('phone.send')).toBe('[Šéñđ~~]');
});

test('plurals follow the language', () => {
  expect(translator('ar')('phone.waiting', { count: 2 })).toBe('رسالتان تنتظران');
  expect(translator('en')('phone.waiting', { count: 1 })).toBe('1 message waiting');
});

test('a canned message is read in the reader’s language, its number with its unit in one piece', () => {
  expect(cannedText('arriving_in', { minutes: 2 }, 'en')).toEqual({
    parts: [{ text: 'Arriving in ' }, { param: '2 min' }],
    lang: 'en',
  });
  expect(cannedString(cannedText('running_late', { minutes: 5 }, 'es'))).toBe('Voy 5 min tarde');
  expect(cannedText('ok', {}, 'hi')).toEqual({ parts: [{ text: 'ठीक है' }], lang: 'hi' });
  expect(cannedString(cannedText('ok', {}, 'en-XA'))).toBe('[ÔĶ~]');
});

test('a key of another catalogue is shown as it is', () => {
  expect(cannedString(cannedText('gate_code', {}, 'ar'))).toBe('gate_code');
});

test('the page speaks the first language of the reader that it knows', () => {
  expect(preferredLanguage(['fr-FR', 'es-MX', 'en'])).toBe('es');
  expect(preferredLanguage(['ar-EG'])).toBe('ar');
  expect(preferredLanguage(['fr'])).toBe('en');
  expect([dirOf('ar'), dirOf('hi')]).toEqual(['rtl', 'ltr']);
});
