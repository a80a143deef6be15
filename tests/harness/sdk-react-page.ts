// A page of a React app that uses the hooks of the SDK.
import { createClient, type MessageObject } from '@curbline/client';
import {
  CurblineProvider,
  useBooking,
  useConnection,
  useMessages,
  usePresence,
  useReceipts,
  useTyping,
} from '@curbline/client/react';
import { createElement as h, type ReactElement, StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

const query = new URLSearchParams(location.search);
const id = query.get('id') ?? '';
const client = createClient({
  url: query.get('url') ?? '',
  token: query.get('token') ?? '',
  outbox: 'memory',
});

const textOf = (body: MessageObject['body']): string => ('text' in body ? body.text : '');

const Chat = (): ReactElement => {
  const { state } = useConnection();
  const { booking, view, error } = useBooking(id);
  const messages = useMessages(booking);
  const { typing, setTyping } = useTyping(id);
  const presence = usePresence(booking);
  const { unread, counterpart, markRead } = useReceipts(booking);
  const shown = {
    'data-state': state,
    'data-online': presence[0]?.online,
    'data-unread': unread,
    'data-error': error?.code,
  };
  return h(
    'main',
    shown,
    h('h1', null, view?.user_detail.name),
    h(
      'ol',
      null,
      messages.map((message) =>
        h('li', { key: message.client_id, 'data-state': message.state }, textOf(message.body)),
      ),
    ),
    h('p', { id: 'typing' }, typing.map(({ user_id }) => user_id).join()),
    h('p', { id: 'read' }, counterpart.read_seq),
    h('input', { onChange: () => setTyping(true) }),
    h('button', { id: 'send', onClick: () => void booking.send({ text: 'from React' }) }, 'Send'),
    h('button', { id: 'read-all', onClick: () => void markRead() }, 'Read'),
  );
};

const root = document.getElementById('app');
if (!root) throw new Error('the page has no place for the app');
createRoot(root).render(h(StrictMode, null, h(CurblineProvider, { client }, h(Chat))));
