import { useEffect } from 'react';
import { translator } from '../i18n/i18n.js';
import { dirOf, preferredLanguage } from '../i18n/languages.js';
import { Gate } from './gate.js';
import { useRememberedLanguage } from './remembered.js';
import { Stage } from './stage.js';
import { TopBar } from './top-bar.js';
import { useSession } from './use-session.js';

/** `/demo`: a driver and a customer, each with a phone that is a real client of the server. */
export function DemoPage() {
  const { state, retryNow, renew } = useSession();
  const [language, setLanguage] = useRememberedLanguage(
    'curbline.language.page',
    preferredLanguage(navigator.languages),
  );
  const t = translator(language);

  useEffect(() => {
    document.documentElement.lang = language;
    document.documentElement.dir = dirOf(language);
    document.title = t('page.title');
  }, [language, t]);

  if (state.kind === 'ready') {
    return (
      <Stage
        key={state.session.booking_id}
        t={t}
        language={language}
        onLanguage={setLanguage}
        session={state.session}
        onRenew={renew}
      />
    );
  }
  return (
    <>
      <TopBar t={t} language={language} onLanguage={setLanguage} />
      <main>
        <Gate t={t} state={state.kind} onRetry={retryNow} />
      </main>
    </>
  );
}
