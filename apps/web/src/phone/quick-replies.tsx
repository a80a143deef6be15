import type { PhoneActions } from './phone-actions.js';
import { CannedWords } from './canned-words.js';
import { usePhone } from './phone-context.js';

interface Reply {
  readonly key: string;
  readonly params?: Readonly<Record<string, number>>;
}

const DRIVER_REPLIES: readonly Reply[] = [
  { key: 'on_my_way' },
  { key: 'arriving_in', params: { minutes: 2 } },
  { key: 'at_pickup' },
  { key: 'stuck_in_traffic' },
];
const CUSTOMER_REPLIES: readonly Reply[] = [
  { key: 'where_are_you' },
  { key: 'ok' },
  { key: 'running_late', params: { minutes: 5 } },
  { key: 'cannot_find_you' },
  { key: 'thanks' },
];

interface QuickRepliesProps {
  readonly onReply: PhoneActions['sendCanned'];
  readonly disabled: boolean;
}

/** Keys of the catalogue, in this phone's language; each reader sees them in their own. */
export function QuickReplies({ onReply, disabled }: QuickRepliesProps) {
  const { t, role, language, pageLanguage } = usePhone();
  const driver = role === 'driver';
  return (
    <fieldset className={driver ? 'quick' : 'replies'} aria-label={t('phone.quick')}>
      {(driver ? DRIVER_REPLIES : CUSTOMER_REPLIES).map(({ key, params }) => (
        <button
          key={key}
          type="button"
          data-key={key}
          disabled={disabled}
          onClick={() => onReply(key, params)}
        >
          <CannedWords of={key} language={language} {...(params && { params })} />
          {driver && language !== pageLanguage && (
            <small>
              <CannedWords of={key} language={pageLanguage} {...(params && { params })} />
            </small>
          )}
        </button>
      ))}
    </fieldset>
  );
}
