import type { ReactNode } from 'react';
import { Composer } from './composer.js';
import { MessageLog } from './message-log.js';
import type { PhoneActions } from './phone-actions.js';
import { usePhone } from './phone-context.js';
import type { PhoneView } from './phone-view.js';
import { QuickReplies } from './quick-replies.js';
import { StatusStrip } from './status-strip.js';
import { TypingLine } from './typing-line.js';

interface PhoneBodyProps {
  readonly view: PhoneView;
  readonly actions: PhoneActions;
  readonly peerName: string;
  readonly myName: string;
  readonly beforeField?: ReactNode;
}

/** From the thread down to the field: the same on both phones, each with its own looks. */
export function PhoneBody({ view, actions, peerName, myName, beforeField }: PhoneBodyProps) {
  const { t } = usePhone();
  if (view.joinError !== undefined)
    return (
      <p className="gate-note">{t(view.joinError === 'chat_closed' ? 'phone.closed' : 'phone.noBooking')}</p>
    );
  if (view.booking === undefined && view.messages.length === 0 && view.link === 'connecting') {
    return <p className="gate-note">{t('phone.connecting')}</p>;
  }
  const writable = canWrite(view);
  return (
    <>
      <MessageLog
        messages={view.messages}
        peerName={peerName}
        myName={myName}
        hasOlder={view.hasOlder}
        onOlder={actions.loadOlder}
        onRetry={actions.retry}
        onLooking={actions.setLooking}
      />
      <TypingLine name={peerName} typing={view.peerTyping} />
      <StatusStrip view={view} />
      {writable && (
        <>
          <QuickReplies onReply={actions.sendCanned} disabled={false} />
          <Composer
            peerName={peerName}
            onSend={actions.sendText}
            onTyping={actions.setTyping}
            before={beforeField}
          />
        </>
      )}
    </>
  );
}

/** Without a network one may go on writing: it waits. Where the chat is over, there is no field. */
export const canWrite = (view: PhoneView): boolean =>
  view.link !== 'refused' && (view.booking === undefined || view.booking.chat === 'open');
