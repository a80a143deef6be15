// The founding tutorial's client. Beside a running development server:
//
//   node client.js                     the demo's driver
//   node client.js --as customer       the demo's customer
//   node client.js --url http://localhost:5000 --token eyJ… --booking BK-7F3K9
//
// CHAT_URL, CHAT_TOKEN and CHAT_BOOKING do the same as the options.
import { parseArgs } from 'node:util';
import { io } from 'socket.io-client';

const { values } = parseArgs({
  options: {
    url: { type: 'string', default: process.env.CHAT_URL ?? 'http://localhost:5000' },
    token: { type: 'string', default: process.env.CHAT_TOKEN },
    booking: { type: 'string', default: process.env.CHAT_BOOKING },
    as: { type: 'string', default: 'driver' },
  },
});
const { url, as } = values;
const { token, booking_id } =
  values.token && values.booking ? { token: values.token, booking_id: values.booking } : await demo();

/** In development the server plays the host's backend: it has a booking and hands out tokens. */
async function demo() {
  const session = await (await fetch(`${url}/demo/session`)).json();
  return { token: values.token ?? session[as].token, booking_id: values.booking ?? session.booking_id };
}

// From here on it is the client of the tutorial: token in the query and in a header, no callbacks.
const socket = io(url, {
  query: { token, type: 'flutter' },
  extraHeaders: { Authorization: `Bearer ${token}` },
});

socket.on('connect', () => {
  console.log('connected');
  socket.emit('connection-established', { booking_id });
});

socket.on('create-connection', (data) => {
  console.log('create-connection', JSON.stringify(data));
});

socket.on('disconnected', (data) => {
  console.log('disconnected', JSON.stringify(data));
});

// Two things that the tutorial leaves out: what a refused token and a refused command look like.
socket.on('connect_error', (error) => {
  console.log('connect_error', JSON.stringify(error.data ?? { message: error.message }));
});

socket.on('exception', (data) => {
  console.log('exception', JSON.stringify(data));
});
