/**
 * React hooks over the Curbline SDK.
 *
 * @packageDocumentation
 */
import {
  createContext,
  createElement,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useState,
  useSyncExternalStore,
  type ReactElement,
  type ReactNode,
} from 'react';
import type { Booking } from './booking.js';
import type { ChatClient } from './chat-client.js';
import type { CurblineError } from './curbline-error.js';
import type { ConnectionObject, PresenceObject } from '@curbline/contract';
import type { ChatMessage, ConnectionState, JoinOptions, Receipts, Typist } from './types.js';

const AGAIN_MS = 2_000;

const ClientContext = createContext<ChatClient | undefined>(undefined);

/** Gives a client to the hooks below it. The app makes the client, and closes it at sign-out. */
export const CurblineProvider = ({
  client,
  children,
}: {
  client: ChatClient;
  children?: ReactNode;
}): ReactElement => createElement(ClientContext.Provider, { value: client }, children);

/** The client of the nearest `CurblineProvider`. */
export const useClient = (): ChatClient => {
  const client = useContext(ClientContext);
  if (!client) throw new Error('A CurblineProvider is missing above this component.');
  return client;
};

/** The state of the link, and the last error since it was online. Connects when it is first used. */
export const useConnection = (): {
  client: ChatClient;
  state: ConnectionState;
  error: CurblineError | undefined;
} => {
  const client = useClient();
  const [error, setError] = useState<CurblineError>();
  const state = useSyncExternalStore(
    useCallback((changed) => client.on('state', changed), [client]),
    () => client.state,
    () => client.state,
  );
  useEffect(() => {
    const offs = [
      client.on('error', setError),
      client.on('state', (state) => state === 'online' && setError(undefined)),
    ];
    return () => offs.forEach((off) => off());
  }, [client]);
  useEffect(() => {
    // A refusal arrives as `error` and as the state `closed`.
    if (client.state === 'idle') client.connect().catch(() => undefined);
  }, [client]);
  return { client, state, error: state === 'online' ? undefined : error };
};

const useBookingOf = (booking: Booking | string): Booking => {
  const client = useContext(ClientContext);
  if (typeof booking !== 'string') return booking;
  if (!client) throw new Error('A CurblineProvider is missing above this component.');
  return client.booking(booking);
};

/** One property of a booking, read again whenever the booking changes. */
const useSnapshot = <T>(booking: Booking, read: (booking: Booking) => T): T => {
  const snapshot = (): T => read(booking);
  return useSyncExternalStore(
    useCallback((changed) => booking.on('change', () => changed()), [booking]),
    snapshot,
    snapshot,
  );
};

/**
 * Joins a booking and keeps its view: who is on the other side, the status, whether the chat is open.
 * `error` says why it could not be joined, or why it stopped.
 */
export const useBooking = (
  bookingId: string,
  options?: JoinOptions,
): {
  booking: Booking;
  view: ConnectionObject | undefined;
  joined: boolean;
  error: CurblineError | undefined;
} => {
  const client = useClient();
  const booking = client.booking(bookingId);
  const [failure, setFailure] = useState<{ booking: Booking; error: CurblineError }>();
  const after = options?.after_seq;
  const history = options?.history;
  useEffect(() => {
    let left = false;
    let again: ReturnType<typeof setTimeout> | undefined;
    const fail = (error: CurblineError): void => setFailure({ booking, error });
    const join = (): void => {
      clearTimeout(again);
      if (booking.joined || client.state === 'closed') return;
      const options = {
        ...(after !== undefined && { after_seq: after }),
        ...(history !== undefined && { history }),
      };
      booking.join(options).then(
        () => setFailure(undefined),
        (error: CurblineError) => {
          fail(error);
          if (error.retryable && !left) again = setTimeout(join, error.retryAfterMs ?? AGAIN_MS);
        },
      );
    };
    join();
    const offs = [
      booking.on('error', fail),
      // A booking takes its seat by itself when it opens.
      booking.on('change', () => booking.joined && booking.view?.chat !== 'closed' && setFailure(undefined)),
      client.on('state', (state) => state === 'online' && join()),
    ];
    return () => {
      left = true;
      clearTimeout(again);
      for (const off of offs) off();
    };
  }, [client, booking, after, history]);
  const view = useSnapshot(booking, ({ view }) => view);
  const joined = useSnapshot(booking, ({ joined }) => joined);
  return { booking, view, joined, error: failure?.booking === booking ? failure.error : undefined };
};

/** The thread with its ticks, own unsent messages at the end. Takes a booking or its id. */
export const useMessages = (booking: Booking | string): readonly ChatMessage[] =>
  useSnapshot(useBookingOf(booking), ({ messages }) => messages);

/** Who is typing on the other side, and a function for the own composer's `onChange`. */
export const useTyping = (
  booking: Booking | string,
): { typing: readonly Typist[]; setTyping: (typing: boolean) => void } => {
  const of = useBookingOf(booking);
  const typing = useSnapshot(of, (current) => current.typing);
  const setTyping = useCallback((value: boolean) => of.setTyping(value), [of]);
  return useMemo(() => ({ typing, setTyping }), [typing, setTyping]);
};

/** Who is online on the other side. */
export const usePresence = (booking: Booking | string): readonly PresenceObject[] =>
  useSnapshot(useBookingOf(booking), ({ presence }) => presence);

/** How far each side has received and read, and a function that marks as read. */
export const useReceipts = (
  booking: Booking | string,
): Receipts & { unread: number; markRead: (seq?: number) => Promise<void> } => {
  const of = useBookingOf(booking);
  const receipts = useSnapshot(of, (current) => current.receipts);
  const unread = useSnapshot(of, (current) => current.unread);
  const markRead = useCallback((seq?: number) => of.markRead(seq), [of]);
  return useMemo(() => ({ ...receipts, unread, markRead }), [receipts, unread, markRead]);
};
