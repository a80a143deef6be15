import { isLanguageTag, type Language, type LanguageTag } from '../i18n/languages.js';
import { ChevronIcon, GlobeIcon } from '../icons/icons.js';

interface LanguagePickerProps {
  readonly label: string;
  readonly languages: readonly Language[];
  readonly value: LanguageTag;
  /** The globe, where the picker stands alone. */
  readonly globe?: boolean;
  readonly onChange: (language: LanguageTag) => void;
}

/** Each language is named in itself: whoever needs it can read it. */
export function LanguagePicker({ label, languages, value, onChange, globe = false }: LanguagePickerProps) {
  return (
    <span className="pick min-w-0" data-globe={globe || undefined}>
      {globe && <GlobeIcon />}
      <select
        aria-label={label}
        value={value}
        translate="no"
        onChange={(event) => isLanguageTag(event.target.value) && onChange(event.target.value)}
      >
        {languages.map(({ tag, name }) => (
          <option key={tag} value={tag} lang={tag}>
            {name}
          </option>
        ))}
      </select>
      <ChevronIcon />
    </span>
  );
}
