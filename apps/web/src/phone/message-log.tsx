import type { ChatMessage } from '@curbline/client';
import { Bubble } from './bubble.js';
import { isolate } from './format.js';
import { usePhone } from './phone-context.js';
import { useThreadEnd } from './use-thread-end.js';

interface MessageLogProps {
  readonly messages: readonly ChatMessage[];
  readonly peerName: string;
  readonly myName: string;
  readonly onLooking: (looking: boolean) => void;
  readonly hasOlder: boolean;
  readonly onOlder: () => void;
  readonly onRetry: (clientId: string) => void;
}

/** The thread. Its own voice is off: one announcer of the page says what is new, history stays silent. */
export function MessageLog({
  messages,
  peerName,
  myName,
  onLooking,
  hasOlder,
  onOlder,
  onRetry,
}: MessageLogProps) {
  const { t } = usePhone();
  const { box, onScroll } = useThreadEnd(messages, onLooking);
  const lastIncoming = messages.findLast((message) => !message.mine && message.kind !== 'system');
  return (
    <div
      ref={box}
      className="log"
      role="log"
      aria-live="off"
      aria-label={t('phone.chatWith', { name: isolate(peerName) })}
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must scroll by keyboard too
      tabIndex={0}
      onScroll={onScroll}
    >
      {messages.length === 0 ? (
        <div className="gate-note">
          <b className="text-[15px]">{t('phone.empty')}</b>
          <span>{t('phone.emptyHint')}</span>
        </div>
      ) : (
        <ol>
          {hasOlder && (
            <li className="day !p-0">
              <button type="button" className="min-h-11 px-4 font-semibold" onClick={onOlder}>
                {t('phone.older')}
              </button>
            </li>
          )}
          {messages.map((message) => (
            <Bubble
              key={`${message.sender.scope}:${message.client_id}`}
              message={message}
              latest={message === lastIncoming}
              author={message.mine ? myName : peerName}
              onRetry={onRetry}
            />
          ))}
        </ol>
      )}
    </div>
  );
}
