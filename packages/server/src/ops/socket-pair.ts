import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A socket of a server, and its client, which does not read yet. */
export interface SocketPair {
  readonly socket: Socket;
  readonly client: Socket;
  end(): void;
}

/** For tests of what reads and writes below a websocket. */
export async function socketPair(): Promise<SocketPair> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1').pause();
  const [socket] = (await once(server, 'connection')) as [Socket];
  for (const one of [client, socket]) one.on('error', () => undefined);
  const end = () => {
    client.destroy();
    socket.destroy();
    server.close();
  };
  return { socket, client, end };
}
