import { useState } from 'react';
import type { Translate } from '../i18n/i18n.js';
import type { LanguageTag } from '../i18n/languages.js';
import type { PhoneView, Role } from '../phone/phone-view.js';
import { usePhoneChat } from '../phone/use-phone-chat.js';
import { Announcer } from './announcer.js';
import { compare } from './delivery.js';
import { PhonePanel } from './phone-panel.js';
import { PhoneSwitch } from './phone-switch.js';
import { useRememberedLanguage } from './remembered.js';
import { changeStatus, type DemoSession } from './session.js';
import { SidePanel } from './side-panel.js';
import { TopBar, type ServerState } from './top-bar.js';
import type { TripStep } from './trip.js';
import { TripStepper } from './trip-stepper.js';
import { useAnnouncements } from './use-announcements.js';

interface StageProps {
  readonly t: Translate;
  readonly language: LanguageTag;
  readonly onLanguage: (language: LanguageTag) => void;
  readonly session: DemoSession;
  readonly onRenew: () => Promise<void>;
}

/** The two phones and what is known about them together. */
export function Stage({ t, language, onLanguage, session, onRenew }: StageProps) {
  const { booking_id: bookingId } = session;
  const [inHand, setInHand] = useState<Role>('driver');
  const [failure, setFailure] = useState<'trip.failed' | 'trip.newFailed'>();
  const [driverLanguage, setDriverLanguage] = useRememberedLanguage('curbline.language.driver', language);
  const [customerLanguage, setCustomerLanguage] = useRememberedLanguage(
    'curbline.language.customer',
    language,
  );
  const languages = { driver: driverLanguage, customer: customerLanguage };
  const driver = usePhoneChat(session.driver, bookingId);
  const customer = usePhoneChat(session.customer, bookingId);
  const phones = { driver, customer };
  const names = { driver: session.driver.name, customer: session.customer.name };
  const said = useAnnouncements(phones, names, languages, t);
  const status = driver.view.booking?.status ?? customer.view.booking?.status ?? session.booking.status;

  const orSay = (work: Promise<void>, words: NonNullable<typeof failure>) => {
    setFailure(undefined);
    work.catch(() => setFailure(words));
  };
  const step = (next: TripStep) => orSay(changeStatus(bookingId, next), 'trip.failed');

  return (
    <div className="flex min-h-dvh flex-col">
      <TopBar
        t={t}
        language={language}
        onLanguage={onLanguage}
        server={serverState(driver.view, customer.view)}
        onNewBooking={() => orSay(onRenew(), 'trip.newFailed')}
      >
        <TripStepper t={t} status={status} onStep={step} />
      </TopBar>
      {failure !== undefined && (
        <p role="alert" className="bg-bad-soft px-5 py-2 text-center font-semibold text-bad">
          {t(failure)}
        </p>
      )}
      <main className="mx-auto flex w-full max-w-[1440px] flex-1 flex-wrap items-start justify-center gap-x-10 gap-y-6 p-3 max-md:flex-col max-md:flex-nowrap max-md:items-stretch max-md:gap-2 md:px-5 md:py-4 xl:flex-nowrap xl:gap-x-16">
        <PhoneSwitch
          t={t}
          value={inHand}
          onChange={setInHand}
          names={names}
          unread={{ driver: driver.view.unread, customer: customer.view.unread }}
        />
        <div className="flex min-h-0 justify-center gap-8 xl:order-last">
          <PhonePanel
            owner="driver"
            language={driverLanguage}
            onLanguage={setDriverLanguage}
            phone={driver}
            myName={names.driver}
            peerName={names.customer}
            {...{ t, pageLanguage: language, shownWhenNarrow: inHand === 'driver' }}
          />
          <PhonePanel
            owner="customer"
            language={customerLanguage}
            onLanguage={setCustomerLanguage}
            phone={customer}
            myName={names.customer}
            peerName={names.driver}
            {...{ t, pageLanguage: language, shownWhenNarrow: inHand === 'customer' }}
          />
        </div>
        <SidePanel
          t={t}
          language={language}
          bookingId={bookingId}
          delivery={compare(driver.view, customer.view)}
        />
      </main>
      <footer className="px-5 pb-4 text-center text-[12.5px] text-ink2 max-md:hidden">
        {t('page.footer')}
      </footer>
      <Announcer said={said} />
    </div>
  );
}

function serverState(one: PhoneView, other: PhoneView): ServerState {
  const links = [one.link, other.link];
  if (links.includes('online')) return 'up';
  if (links.includes('retrying')) return 'down';
  if (links.every((link) => link === 'off' || link === 'refused')) return 'off';
  return 'connecting';
}
