import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';

/** A gateway that the shop had before the chat came: a departures board, on Nest's own Socket.IO adapter. */
@WebSocketGateway()
export class BoardGateway {
  @SubscribeMessage('board')
  board() {
    return { event: 'board', data: { departures: ['09:10 Airport', '09:25 Old town'] } };
  }
}
