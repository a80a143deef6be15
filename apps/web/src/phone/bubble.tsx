import type { ChatMessage } from '@curbline/client';
import { clockTime } from './format.js';
import { MessageBody } from './message-body.js';
import { usePhone } from './phone-context.js';
import { Ticks } from './ticks.js';

const REASONS = new Set(['invalid', 'chat_closed', 'rejected', 'rate_limited'] as const);
type Reason = typeof REASONS extends Set<infer R> ? R : never;
const isReason = (code: string | undefined): code is Reason => (REASONS as ReadonlySet<unknown>).has(code);

interface BubbleProps {
  readonly message: ChatMessage;
  /** The last one from the other side. */
  readonly latest: boolean;
  /** Who wrote it, for those who do not see on which side it stands. */
  readonly author: string;
  readonly onRetry: (clientId: string) => void;
}

export function Bubble({ message, latest, author, onRetry }: BubbleProps) {
  const { t, language } = usePhone();
  const code = message.error?.code;
  const at = new Date(message.created_at);
  if (message.kind === 'system') {
    return (
      <li className="day">
        <MessageBody body={message.body} />
      </li>
    );
  }
  return (
    <li
      className="bubble"
      data-mine={message.mine}
      data-state={message.mine ? message.state : undefined}
      data-latest={latest || undefined}
      data-client-id={message.client_id}
    >
      <span className="sr-only">
        <bdi translate="no">{author}</bdi>:
      </span>
      <MessageBody body={message.body} />
      <div className="meta">
        <time dateTime={message.created_at}>
          <bdi>{clockTime(at, language)}</bdi>
        </time>
        {message.mine && <Ticks state={message.state} />}
      </div>
      {message.state === 'failed' && (
        <div className="flex flex-wrap items-center gap-x-3 text-[12.5px]">
          {t(`message.failed.${isReason(code) ? code : 'other'}`)}
          <button type="button" className="retry" onClick={() => onRetry(message.client_id)}>
            {t('message.retry')}
          </button>
        </div>
      )}
    </li>
  );
}
