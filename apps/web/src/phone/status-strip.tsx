import { Trans } from 'react-i18next';
import { LockIcon, NoNetworkIcon } from '../icons/icons.js';
import { clockTime } from './format.js';
import { usePhone } from './phone-context.js';
import type { PhoneView } from './phone-view.js';

/** One line over the composer when something stands between what is written and the other person. */
export function StatusStrip({ view }: { readonly view: PhoneView }) {
  const { t, language } = usePhone();
  const waiting = view.waiting > 0 ? t('phone.waiting', { count: view.waiting }) : undefined;
  const trouble = linkTrouble(view);
  if (trouble !== undefined) {
    return (
      <p className="strip">
        <NoNetworkIcon />
        <span>
          {t(trouble)}
          {waiting !== undefined && <> · {waiting}</>}
        </span>
      </p>
    );
  }
  const booking = view.booking;
  if (booking?.chat === 'read_only' || booking?.chat === 'closed') {
    return (
      <p className="strip">
        <LockIcon />
        <span>{t(booking.chat === 'closed' ? 'phone.closed' : 'phone.readOnly')}</span>
      </p>
    );
  }
  if (booking?.closesAt !== undefined) {
    return (
      <p className="strip">
        <LockIcon />
        <span>
          <Trans
            t={t}
            i18nKey="phone.closesAt"
            values={{ time: clockTime(booking.closesAt, language) }}
            components={{ bdi: <bdi /> }}
          />
        </span>
      </p>
    );
  }
  return null;
}

function linkTrouble(view: PhoneView) {
  if (view.link === 'off') return 'phone.noNetwork';
  if (view.link === 'retrying') return 'phone.retrying';
  if (view.link === 'refused') return 'phone.refused';
  return undefined;
}
