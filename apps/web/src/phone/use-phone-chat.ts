import { useEffect, useMemo, useSyncExternalStore } from 'react';
import { tokenSource, type DemoPerson } from '../demo/session.js';
import { PhoneChat } from './phone-chat.js';
import type { PhoneView } from './phone-view.js';

/** A phone and what it shows. */
export interface Phone {
  readonly chat: PhoneChat;
  readonly view: PhoneView;
}

/** A phone's client, open for as long as its person and booking stay the same. */
export function usePhoneChat(person: DemoPerson, bookingId: string): Phone {
  const chat = useMemo(
    () => new PhoneChat({ url: location.origin, token: tokenSource(person), bookingId }),
    [person, bookingId],
  );
  useEffect(() => {
    chat.open();
    return () => chat.close();
  }, [chat]);
  const view = useSyncExternalStore(chat.subscribe, chat.view);
  return useMemo(() => ({ chat, view }), [chat, view]);
}
