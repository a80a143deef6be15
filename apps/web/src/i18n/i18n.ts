import { createInstance, type TFunction } from 'i18next';
import ar from './locales/ar.json';
import en from './locales/en.json';
import es from './locales/es.json';
import hi from './locales/hi.json';
import type { LanguageTag } from './languages.js';
import { pseudoStrings } from './pseudo-locale.js';

declare module 'i18next' {
  interface CustomTypeOptions {
    resources: { translation: typeof en };
    returnNull: false;
  }
}

export const i18n = createInstance({
  lng: 'en',
  fallbackLng: 'en',
  resources: {
    en: { translation: en },
    hi: { translation: hi },
    ar: { translation: ar },
    es: { translation: es },
    'en-XA': { translation: pseudoStrings(en) },
  },
  // React escapes what it shows; a second time would show the escapes.
  interpolation: { escapeValue: false },
  initAsync: false,
});
void i18n.init();

export type Translate = TFunction;

/** The words of one language: the page and each phone have their own. */
export const translator = (tag: LanguageTag): Translate => i18n.getFixedT(tag);
