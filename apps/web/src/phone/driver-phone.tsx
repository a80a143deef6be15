import { initials } from './format.js';
import { PeerPresence } from './peer-presence.js';
import type { PhoneActions } from './phone-actions.js';
import { PhoneBody } from './phone-body.js';
import { PhoneFrame } from './phone-frame.js';
import type { PhoneView } from './phone-view.js';
import { TripWord } from './trip-card.js';

interface PhoneProps {
  readonly view: PhoneView;
  readonly actions: PhoneActions;
  readonly peerName: string;
  readonly myName: string;
}

/** Read at arm's length: large last words, four replies one can hit without looking. */
export function DriverPhone({ view, actions, peerName, myName }: PhoneProps) {
  return (
    <PhoneFrame connected={view.link === 'online'}>
      <div className="peer">
        <span className="avatar bg-[#5eead4] !text-[#06302c]" aria-hidden="true" translate="no">
          {initials(peerName)}
        </span>
        <div className="min-w-0 flex-1">
          <strong className="truncate" dir="auto" translate="no">
            {peerName}
          </strong>
          <span className="sub">
            <PeerPresence view={view} />
          </span>
        </div>
        {view.booking !== undefined && (
          <span className="rounded-xl bg-(--p-accent) px-3 py-1.5 text-[13px] font-bold !text-(--p-on-accent)">
            <TripWord status={view.booking.status} />
          </span>
        )}
      </div>
      <PhoneBody view={view} actions={actions} peerName={peerName} myName={myName} />
    </PhoneFrame>
  );
}
