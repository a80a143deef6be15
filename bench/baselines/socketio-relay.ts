// The yardstick: stock Socket.IO that joins rooms and passes messages on. It checks nothing and stores nothing.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';

const http = createServer();
const io = new Server(http, { transports: ['websocket'], serveClient: false });

interface Send {
  booking_id: string;
  client_id: string;
}

io.on('connection', (socket) => {
  socket.on('connection-established', (body: { booking_id: string }, ack: (answer: object) => void) => {
    void socket.join(body.booking_id);
    ack({ data: {} });
  });
  socket.on('message.send', (body: Send, ack: (answer: object) => void) => {
    socket.to(body.booking_id).emit('message.created', body);
    ack({ data: { client_id: body.client_id } });
  });
});

http.listen(0, '127.0.0.1', () => {
  process.stdout.write(`ready ${(http.address() as AddressInfo).port}\n`);
});
process.once('SIGTERM', () => process.exit(0));
