import type { MessageState } from '@curbline/client';
import { AlertIcon, ClockIcon, OneTickIcon, TwoTicksIcon } from '../icons/icons.js';
import { usePhone } from './phone-context.js';

const DRAWING = {
  queued: ClockIcon,
  stored: OneTickIcon,
  delivered: TwoTicksIcon,
  read: TwoTicksIcon,
  failed: AlertIcon,
} satisfies Record<MessageState, () => React.JSX.Element>;

/** In which states the word is worth its room; in the others it is there for those who do not see the drawing. */
const SPOKEN_ONLY: ReadonlySet<MessageState> = new Set(['stored', 'delivered']);

export function Ticks({ state }: { readonly state: MessageState }) {
  const { t } = usePhone();
  const Drawing = DRAWING[state];
  return (
    <>
      <Drawing />
      <span className={SPOKEN_ONLY.has(state) ? 'sr-only' : undefined}>{t(`tick.${state}`)}</span>
    </>
  );
}
