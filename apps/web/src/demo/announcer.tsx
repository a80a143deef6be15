import { dirOf, type LanguageTag } from '../i18n/languages.js';

export interface Announcement {
  readonly text: string;
  readonly language: LanguageTag;
}

/** The one voice of the page: it says what is new, politely; the threads themselves are silent. */
export function Announcer({ said }: { readonly said: Announcement | undefined }) {
  return (
    <output className="sr-only" data-testid="announcer">
      {said !== undefined && (
        <span lang={said.language} dir={dirOf(said.language)}>
          {said.text}
        </span>
      )}
    </output>
  );
}
