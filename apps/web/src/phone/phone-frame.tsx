import type { ReactNode } from 'react';
import { SignalIcon } from '../icons/icons.js';
import { clockTime } from './format.js';
import { usePhone } from './phone-context.js';
import { useNow } from './use-now.js';

/** The case and the status bar: the time is the time, and the bars are the state of this phone's socket. */
export function PhoneFrame({
  connected,
  children,
}: {
  readonly connected: boolean;
  readonly children: ReactNode;
}) {
  const { role, language, t } = usePhone();
  const now = useNow();
  return (
    <div className="phone">
      <div className={`screen ${role}`}>
        <div className="island" />
        <div className="status-bar">
          <time dateTime={now.toISOString()}>
            <bdi>{clockTime(now, language)}</bdi>
          </time>
          <span>
            <SignalIcon on={connected} />
            <span className="sr-only">{t(connected ? 'phone.signal' : 'phone.noSignal')}</span>
          </span>
        </div>
        {children}
        <div className="home-bar" />
      </div>
    </div>
  );
}
