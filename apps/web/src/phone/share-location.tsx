import { useState, type SyntheticEvent } from 'react';
import { Dialog } from 'radix-ui';
import { PinIcon } from '../icons/icons.js';
import type { SharedPlace } from './phone-actions.js';
import { usePhone } from './phone-context.js';

/** A point for the demo, for machines that do not know or do not say where they are. */
const DEMO_POINT = { lat: 28.5483, lng: 77.2513 };
const LOCATE_TIMEOUT_MS = 8_000;

const devicePoint = (): Promise<{ lat: number; lng: number }> =>
  new Promise((resolve, reject) => {
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => resolve({ lat: coords.latitude, lng: coords.longitude }),
      reject,
      { timeout: LOCATE_TIMEOUT_MS },
    );
  });

export function ShareLocationButton({ disabled }: { readonly disabled: boolean }) {
  const { t } = usePhone();
  return (
    <Dialog.Trigger asChild>
      <button type="button" data-kind="plain" disabled={disabled} aria-label={t('share.open')}>
        <PinIcon />
      </button>
    </Dialog.Trigger>
  );
}

interface ShareLocationSheetProps {
  readonly onShare: (place: SharedPlace) => void;
  readonly onDone: () => void;
}

/** A pin with a name, put into the log as a message. */
export function ShareLocationSheet({ onShare, onDone }: ShareLocationSheetProps) {
  const { t, role } = usePhone();
  const [label, setLabel] = useState('');
  const [source, setSource] = useState<'demo' | 'device'>('demo');
  const [progress, setProgress] = useState<'idle' | 'locating' | 'denied'>('idle');

  const submit = async (event: SyntheticEvent) => {
    event.preventDefault();
    const name = label.trim();
    try {
      if (source === 'device') setProgress('locating');
      const point = source === 'device' ? await devicePoint() : DEMO_POINT;
      onShare({ ...point, ...(name !== '' && { label: name }) });
      onDone();
    } catch {
      // Refused, switched off or too slow: to the person it is one thing, and the other choice is there.
      setProgress('denied');
      setSource('demo');
    }
  };

  return (
    <Dialog.Content className="sheet" aria-describedby={undefined}>
      <form className="grid gap-3" onSubmit={(event) => void submit(event)}>
        <Dialog.Title className="text-[17px] font-bold">{t('share.title')}</Dialog.Title>
        <label className="grid gap-1 text-[13px] font-semibold">
          {t('share.label')}
          <input
            type="text"
            dir="auto"
            maxLength={200}
            value={label}
            placeholder={t('share.labelExample')}
            onChange={(event) => setLabel(event.target.value)}
          />
        </label>
        <fieldset className="grid gap-2">
          <legend className="mb-1 text-[13px] font-semibold">{t('share.where')}</legend>
          {(['demo', 'device'] as const).map((choice) => (
            <label key={choice} className="choice">
              <input
                type="radio"
                name={`${role}-where`}
                checked={source === choice}
                onChange={() => setSource(choice)}
              />
              {t(`share.${choice}`)}
            </label>
          ))}
        </fieldset>
        <output className="block text-[13px] empty:hidden">
          {progress === 'locating' && t('share.locating')}
          {progress === 'denied' && t('share.denied')}
        </output>
        <div className="grid grid-cols-2 gap-2">
          <Dialog.Close asChild>
            <button type="button">{t('share.cancel')}</button>
          </Dialog.Close>
          <button type="submit" disabled={progress === 'locating'}>
            {t('share.send')}
          </button>
        </div>
      </form>
    </Dialog.Content>
  );
}
