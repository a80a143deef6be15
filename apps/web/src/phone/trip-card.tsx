import { isTripStatus, TRIP_STEPS } from '../demo/trip.js';
import { usePhone } from './phone-context.js';

/** Where the booking stands, as the host's status says: five steps, no guessed minutes. */
export function TripCard({ status }: { readonly status: string }) {
  const { t } = usePhone();
  const step = TRIP_STEPS.findIndex((known) => known === status);
  const done = step < 0 ? 0 : (step / (TRIP_STEPS.length - 1)) * 100;
  return (
    <div className="trip">
      <p className="flex justify-between gap-2 text-[13px]">
        <span className="text-(--p-dim)">{t('trip.label')}</span>
        <TripWord status={status} />
      </p>
      {step >= 0 && (
        <div className="track" aria-hidden="true">
          <i style={{ width: `${done}%` }} />
          <em style={{ insetInlineStart: `${done}%` }} />
        </div>
      )}
    </div>
  );
}

/** A status of the default policy in the reader's words; any other word as the host wrote it. */
export function TripWord({ status }: { readonly status: string }) {
  const { t } = usePhone();
  if (isTripStatus(status)) return <b>{t(`trip.${status}`)}</b>;
  return <b translate="no">{status}</b>;
}
