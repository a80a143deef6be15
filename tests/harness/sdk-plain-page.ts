// A page of an app that uses the SDK without a framework: the story drives it from outside.
import { type Booking, type ChatClient, createClient } from '@curbline/client';

declare global {
  var start: (url: string, token: string, bookingId: string) => void;
  var chat: ChatClient;
  var booking: Booking;
}

globalThis.start = (url, token, bookingId) => {
  globalThis.chat = createClient({ url, token, reconnectMs: { min: 50, max: 300 } });
  globalThis.booking = globalThis.chat.booking(bookingId);
  // While the server is down it goes on trying; the story looks at what is shown.
  void globalThis.booking.join().catch(() => undefined);
};
