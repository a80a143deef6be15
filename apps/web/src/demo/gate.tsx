import type { Translate } from '../i18n/i18n.js';
import type { SessionState } from './session-search.js';

interface GateProps {
  readonly t: Translate;
  readonly state: Exclude<SessionState['kind'], 'ready'>;
  readonly onRetry: () => void;
}

/** What stands where the phones will be. */
export function Gate({ t, state, onRetry }: GateProps) {
  return (
    <output className="mx-auto grid max-w-[520px] gap-4 px-6 py-[16vh] text-center" data-gate={state}>
      {state === 'loading' && (
        <>
          <h1 className="sr-only">{t('page.heading')}</h1>
          <p className="text-[16px] text-ink2">{t('gate.loading')}</p>
        </>
      )}
      {state === 'down' && (
        <>
          <h1 className="text-[26px] leading-tight font-bold tracking-tight text-balance">
            {t('gate.downTitle')}
          </h1>
          <p className="text-[15px] text-ink2">{t('gate.downText')}</p>
          <button type="button" className="btn justify-self-center" onClick={onRetry}>
            {t('gate.retry')}
          </button>
        </>
      )}
      {state === 'disabled' && (
        <>
          <h1 className="text-[26px] leading-tight font-bold tracking-tight text-balance">
            {t('gate.disabledTitle')}
          </h1>
          <p className="text-[15px] text-ink2">{t('gate.disabledText')}</p>
        </>
      )}
    </output>
  );
}
