import { useMemo } from 'react';
import { RadioGroup } from 'radix-ui';
import { translator, type Translate } from '../i18n/i18n.js';
import { dirOf, LANGUAGES, type LanguageTag } from '../i18n/languages.js';
import { CustomerPhone } from '../phone/customer-phone.js';
import { DriverPhone } from '../phone/driver-phone.js';
import { PhoneProvider } from '../phone/phone-context.js';
import type { Role } from '../phone/phone-view.js';
import type { Phone } from '../phone/use-phone-chat.js';
import { LanguagePicker } from './language-picker.js';

interface PhonePanelProps {
  readonly owner: Role;
  readonly t: Translate;
  readonly pageLanguage: LanguageTag;
  readonly language: LanguageTag;
  readonly onLanguage: (language: LanguageTag) => void;
  readonly phone: Phone;
  readonly myName: string;
  readonly peerName: string;
  /** On a narrow screen only one phone is shown. */
  readonly shownWhenNarrow: boolean;
}

/** One phone with what is around it: whose it is, what it speaks, whether it has a network. */
export function PhonePanel(props: PhonePanelProps) {
  const { owner, t, pageLanguage, language, myName, peerName } = props;
  const { view, chat: actions } = props.phone;
  const context = useMemo(
    () => ({ role: owner, language, pageLanguage, t: translator(language) }),
    [owner, language, pageLanguage],
  );
  const Screen = owner === 'driver' ? DriverPhone : CustomerPhone;
  return (
    <section
      aria-label={t(`phone.${owner}`)}
      data-phone={owner}
      className={`min-h-0 min-w-0 flex-col items-center gap-2.5 md:flex md:w-[364px] ${
        props.shownWhenNarrow ? 'flex w-full flex-1' : 'hidden'
      }`}
    >
      <div className="flex w-full items-center gap-1.5">
        <h2 className="flex min-w-0 flex-1 flex-wrap items-center gap-x-1.5 gap-y-1 max-md:hidden">
          <span className="chip" data-tone={owner}>
            {t(`role.${owner}`)}
          </span>
          <span className="truncate font-semibold" dir="auto" translate="no">
            {myName}
          </span>
        </h2>
        <span className="max-md:min-w-0 max-md:flex-1">
          <LanguagePicker
            label={t(`language.${owner}`)}
            languages={LANGUAGES}
            value={language}
            onChange={props.onLanguage}
          />
        </span>
        <RadioGroup.Root
          orientation="horizontal"
          className="segments"
          aria-label={t(`network.${owner}`)}
          value={view.link === 'off' ? 'off' : 'on'}
          onValueChange={(value) => actions.setNetwork(value === 'on')}
        >
          <RadioGroup.Item value="on">
            <bdi>{t('network.on')}</bdi>
          </RadioGroup.Item>
          <RadioGroup.Item value="off" data-tone="bad">
            {t('network.off')}
          </RadioGroup.Item>
        </RadioGroup.Root>
      </div>
      <div className="flex min-h-0 w-full flex-1 justify-center" lang={language} dir={dirOf(language)}>
        <PhoneProvider value={context}>
          <Screen view={view} actions={actions} peerName={peerName} myName={myName} />
        </PhoneProvider>
      </div>
    </section>
  );
}
