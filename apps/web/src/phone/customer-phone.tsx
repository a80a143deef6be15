import { useState } from 'react';
import { Dialog } from 'radix-ui';
import { initials } from './format.js';
import { PeerPresence } from './peer-presence.js';
import type { PhoneActions } from './phone-actions.js';
import { canWrite, PhoneBody } from './phone-body.js';
import { usePhone } from './phone-context.js';
import { PhoneFrame } from './phone-frame.js';
import type { Peer, PhoneView } from './phone-view.js';
import { ShareLocationButton, ShareLocationSheet } from './share-location.js';
import { TripCard } from './trip-card.js';

interface PhoneProps {
  readonly view: PhoneView;
  readonly actions: PhoneActions;
  readonly peerName: string;
  readonly myName: string;
}

/** Calm and light: who comes, in which car, how far the trip is, and the thread. */
export function CustomerPhone({ view, actions, peerName, myName }: PhoneProps) {
  const [sharing, setSharing] = useState(false);
  return (
    <Dialog.Root modal={false} open={sharing} onOpenChange={setSharing}>
      <PhoneFrame connected={view.link === 'online'}>
        <div className="peer">
          <span className="avatar bg-[#fdf0d9] !text-[#8a4207]" aria-hidden="true" translate="no">
            {initials(peerName)}
          </span>
          <div className="min-w-0 flex-1">
            <strong className="!flex gap-1.5">
              <bdi className="truncate" translate="no">
                {peerName}
              </bdi>
              {view.peer?.detail.rating !== undefined && <Rating value={view.peer.detail.rating} />}
            </strong>
            {view.peer !== undefined && <Car peer={view.peer} />}
            <span className="sub">
              <PeerPresence view={view} />
            </span>
          </div>
        </div>
        {view.booking !== undefined && <TripCard status={view.booking.status} />}
        <PhoneBody
          view={view}
          actions={actions}
          peerName={peerName}
          myName={myName}
          beforeField={<ShareLocationButton disabled={!canWrite(view)} />}
        />
        <ShareLocationSheet onShare={actions.sendLocation} onDone={() => setSharing(false)} />
      </PhoneFrame>
    </Dialog.Root>
  );
}

function Rating({ value }: { readonly value: number }) {
  const { t, language } = usePhone();
  const shown = new Intl.NumberFormat(language, { maximumFractionDigits: 1 }).format(value);
  return (
    <>
      <span aria-hidden="true">·</span>
      <bdi aria-hidden="true" className="whitespace-nowrap">
        {shown} ★
      </bdi>
      <span className="sr-only">{t('phone.rating', { value: shown })}</span>
    </>
  );
}

/** What the host tells of the car: colour and model, then the plate as it is written on it. */
function Car({ peer }: { readonly peer: Peer }) {
  const { color, make, model, plate } = peer.detail.vehicle ?? {};
  const looks = [color, make, model].filter((word) => word !== undefined).join(' ');
  if (looks === '' && plate === undefined) return null;
  return (
    <span className="sub truncate" translate="no">
      {looks !== '' && <bdi>{looks}</bdi>}
      {looks !== '' && plate !== undefined && ' · '}
      {plate !== undefined && <bdi>{plate}</bdi>}
    </span>
  );
}
