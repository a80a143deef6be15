import { useCallback, useState } from 'react';
import { isLanguageTag, type LanguageTag } from '../i18n/languages.js';

/** A language that the browser keeps for this reader. */
export function useRememberedLanguage(
  key: string,
  fallback: LanguageTag,
): [LanguageTag, (tag: LanguageTag) => void] {
  const [language, setLanguage] = useState<LanguageTag>(() => {
    const kept = localStorage.getItem(key);
    return isLanguageTag(kept) ? kept : fallback;
  });
  const choose = useCallback(
    (tag: LanguageTag) => {
      localStorage.setItem(key, tag);
      setLanguage(tag);
    },
    [key],
  );
  return [language, choose];
}
