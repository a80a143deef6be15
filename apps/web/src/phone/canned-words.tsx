import { Fragment } from 'react';
import { cannedText } from '../i18n/canned.js';
import type { LanguageTag } from '../i18n/languages.js';

interface CannedWordsProps {
  readonly of: string;
  readonly params?: Readonly<Record<string, number | string>>;
  readonly language: LanguageTag;
}

/** A canned message as its reader's language says it; numbers keep their own direction. */
export function CannedWords({ of, params = {}, language }: CannedWordsProps) {
  const canned = cannedText(of, params, language);
  return (
    <span lang={canned.lang} dir="auto">
      {canned.parts.map((part, index) =>
        'text' in part ? (
          <Fragment key={index}>{part.text}</Fragment>
        ) : (
          <bdi key={index} className="whitespace-nowrap">
            {part.param}
          </bdi>
        ),
      )}
    </span>
  );
}
