import { UseGuards, UsePipes, ValidationPipe } from '@nestjs/common';
import {
  ConnectedSocket,
  MessageBody,
  SubscribeMessage,
  WebSocketGateway,
  WebSocketServer,
  WsException,
  type OnGatewayDisconnect,
} from '@nestjs/websockets';
import type { Server } from 'socket.io';
import { ChatService } from './chat.service.js';
import { CreateConnectionDto } from './create-connection.dto.js';
import { SendMessageDto } from './send-message.dto.js';
import { SocketGuard } from './socket.guard.js';
import type { UserSocket } from './user-socket.js';

/** The founding tutorial's gateway with a store behind it: guard, DTO, one INSERT a message, then ack and event. */
@WebSocketGateway({ cors: { origin: '*' } })
@UsePipes(new ValidationPipe({ whitelist: true, exceptionFactory: (errors) => new WsException(errors) }))
export class ChatGateway implements OnGatewayDisconnect {
  @WebSocketServer()
  server!: Server;

  constructor(private readonly chatService: ChatService) {}

  async handleDisconnect(socket: UserSocket): Promise<void> {
    socket.emit('disconnected', 'Socket disconnected');
  }

  @UseGuards(SocketGuard)
  @SubscribeMessage('connection-established')
  async handleCreateConnection(
    @ConnectedSocket() socket: UserSocket,
    @MessageBody() body: CreateConnectionDto,
  ) {
    const booking = await this.chatService.bookingDetail(body.booking_id);
    if (booking === undefined) throw new WsException('no such booking');
    const { user_id, scope } = socket.user;
    await this.chatService.updateSocketId(socket.user, socket.id);
    const response = await this.chatService.createConnection(booking.driver_id, booking.customer_id, scope);
    const other = scope === 'driver' ? 'customer' : 'driver';
    const user_data = await this.chatService.findPerson(scope, user_id);
    const user_detail = await this.chatService.findPerson(
      other,
      other === 'driver' ? booking.driver_id : booking.customer_id,
    );
    const data = { response, user_detail, booking: booking.id };
    await socket.join(booking.id);
    if (user_data?.socket_id) this.server.to(user_data.socket_id).emit('create-connection', data);
    return { data };
  }

  @UseGuards(SocketGuard)
  @SubscribeMessage('message.send')
  async handleMessage(@ConnectedSocket() socket: UserSocket, @MessageBody() body: SendMessageDto) {
    const stored = await this.chatService.saveMessage(socket.user, body);
    const message = { ...body, ...stored, sender: socket.user };
    socket.to(body.booking_id).emit('message.created', { booking_id: body.booking_id, message });
    return { data: { message } };
  }
}
