import { createContext, useContext } from 'react';
import type { Translate } from '../i18n/i18n.js';
import type { LanguageTag } from '../i18n/languages.js';
import type { Role } from './phone-view.js';

/** Whose phone this is and what it speaks. */
export interface PhoneContextValue {
  readonly role: Role;
  readonly language: LanguageTag;
  /** The page's language, in which the demo explains what the phone says. */
  readonly pageLanguage: LanguageTag;
  readonly t: Translate;
}

const PhoneContext = createContext<PhoneContextValue | undefined>(undefined);
export const PhoneProvider = PhoneContext.Provider;

export function usePhone(): PhoneContextValue {
  const value = useContext(PhoneContext);
  if (value === undefined) throw new Error('usePhone needs a PhoneProvider above it');
  return value;
}
