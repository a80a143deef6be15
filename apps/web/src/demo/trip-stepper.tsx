import { useEffect, useRef } from 'react';
import type { Translate } from '../i18n/i18n.js';
import { TRIP_STEPS, type TripStep } from './trip.js';

interface TripStepperProps {
  readonly t: Translate;
  /** The status that the phones were told. */
  readonly status: string | undefined;
  readonly onStep: (step: TripStep) => void;
}

/** The host's side of the demo: each step is a change of the booking's status. */
export function TripStepper({ t, status, onStep }: TripStepperProps) {
  const current = TRIP_STEPS.findIndex((step) => step === status);
  const list = useRef<HTMLOListElement>(null);
  useEffect(() => {
    // On a narrow screen the row scrolls: the step of now is the one to see.
    const nav = list.current?.parentElement;
    const step = list.current?.children[current];
    if (!(nav instanceof HTMLElement) || !(step instanceof HTMLElement)) return;
    const [outer, inner] = [nav.getBoundingClientRect(), step.getBoundingClientRect()];
    nav.scrollBy({ left: inner.left + inner.width / 2 - outer.left - outer.width / 2 });
  }, [current]);
  return (
    <nav aria-label={t('trip.label')} className="max-w-full overflow-x-auto">
      <ol ref={list} className="segments w-max">
        {TRIP_STEPS.map((step, index) => (
          <li key={step} className="flex">
            <button
              type="button"
              aria-current={index === current ? 'step' : undefined}
              data-done={index < current || undefined}
              onClick={() => onStep(step)}
            >
              <span aria-hidden="true">{index < current ? '✓' : index === current ? '●' : ''}</span>
              {t(`trip.${step}`)}
            </button>
          </li>
        ))}
      </ol>
    </nav>
  );
}
