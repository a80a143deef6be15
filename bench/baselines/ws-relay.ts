// The floor of a WebSocket server in Node: `ws` and JSON, two sockets a booking, no rooms, no store.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';

const http = createServer();
const server = new WebSocketServer({ server: http, perMessageDeflate: false });
const bookings = new Map<string, Set<WebSocket>>();

interface Send {
  id: number;
  event: string;
  data: unknown;
}

server.on('connection', (socket, request) => {
  const booking = new URL(request.url ?? '/', 'http://localhost').searchParams.get('booking') ?? '';
  const peers = bookings.get(booking) ?? new Set();
  bookings.set(booking, peers.add(socket));
  socket.on('message', (frame: Buffer) => {
    const { id, data } = JSON.parse(frame.toString()) as Send;
    const event = JSON.stringify({ event: 'message.created', data });
    for (const peer of peers) if (peer !== socket) peer.send(event);
    socket.send(JSON.stringify({ ack: id }));
  });
  socket.on('close', () => {
    peers.delete(socket);
    if (peers.size === 0) bookings.delete(booking);
  });
});

http.listen(0, '127.0.0.1', () => {
  process.stdout.write(`ready ${(http.address() as AddressInfo).port}\n`);
});
process.once('SIGTERM', () => process.exit(0));
