import { LANGUAGES, type LanguageTag } from '../i18n/languages.js';
import type { Translate } from '../i18n/i18n.js';
import { Logo, MoonIcon, PlusIcon } from '../icons/icons.js';
import { useTheme } from '../theme/use-theme.js';
import { LanguagePicker } from './language-picker.js';

export type ServerState = 'up' | 'connecting' | 'down' | 'off';
const TONE = { up: 'ok', connecting: 'warn', down: 'bad', off: 'warn' } as const satisfies Record<
  ServerState,
  string
>;

interface TopBarProps {
  readonly t: Translate;
  readonly language: LanguageTag;
  readonly onLanguage: (language: LanguageTag) => void;
  readonly server?: ServerState;
  readonly onNewBooking?: () => void;
  readonly children?: React.ReactNode;
}

export function TopBar({ t, language, onLanguage, server, onNewBooking, children }: TopBarProps) {
  const { theme, toggle } = useTheme();
  return (
    <header className="flex flex-wrap items-center gap-x-3.5 gap-y-2 border-b border-line bg-card/80 px-3 py-2 md:px-5">
      <span className="flex items-center gap-2.5 text-[17px] font-bold tracking-tight" translate="no">
        <Logo />
        <span className="max-[385px]:sr-only">Curbline</span>
      </span>
      {server !== undefined && (
        <span className="chip max-sm:hidden" data-tone={TONE[server]}>
          {t(`server.${server}`)}
        </span>
      )}
      <div className="order-last flex min-w-0 basis-full justify-center xl:order-none xl:basis-auto xl:flex-1">
        {children}
      </div>
      <div className="ms-auto flex items-center gap-2 xl:ms-0">
        {onNewBooking !== undefined && (
          <button
            type="button"
            className="btn"
            data-new-booking
            onClick={onNewBooking}
            aria-label={t('page.newBooking')}
          >
            <PlusIcon />
            <span className="max-sm:hidden">{t('page.newBooking')}</span>
          </button>
        )}
        <LanguagePicker
          globe
          label={t('page.language')}
          languages={LANGUAGES}
          value={language}
          onChange={onLanguage}
        />
        <button
          type="button"
          className="btn"
          data-kind="round"
          onClick={toggle}
          aria-label={t(theme === 'dark' ? 'page.toLight' : 'page.toDark')}
        >
          <MoonIcon />
        </button>
      </div>
    </header>
  );
}
