import { ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { ChatService } from './chat.service.js';
import type { CreateConnectionDto } from './create-connection.dto.js';
import type { SendMessageDto } from './send-message.dto.js';
import type { UserSocket } from './user-socket.js';

const NOBODY = { user_id: 'unchecked', scope: 'driver' } as const;

/** The least a NestJS gateway with one INSERT a message can do: no guard, no pipe, a prepared statement. */
@WebSocketGateway()
export class LeanGateway {
  constructor(private readonly chatService: ChatService) {}

  @SubscribeMessage('connection-established')
  async join(@ConnectedSocket() socket: UserSocket, @MessageBody() body: CreateConnectionDto) {
    await socket.join(body.booking_id);
    return { data: {} };
  }

  @SubscribeMessage('message.send')
  async send(@ConnectedSocket() socket: UserSocket, @MessageBody() body: SendMessageDto) {
    const stored = await this.chatService.saveMessagePrepared(NOBODY, body);
    const message = { ...body, ...stored };
    socket.to(body.booking_id).emit('message.created', { booking_id: body.booking_id, message });
    return { data: { message } };
  }
}
