import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { WsException } from '@nestjs/websockets';
import jwt, { type JwtPayload } from 'jsonwebtoken';
import type { User, UserSocket } from './user-socket.js';

const SECRET = process.env['TUTORIAL_TOKEN_SECRET'] ?? '';

@Injectable()
export class SocketGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const socket = context.switchToWs().getClient<UserSocket>();
    const token = socket.handshake.headers['token'] ?? socket.handshake.query['token'];
    try {
      const claims = jwt.verify(String(token), SECRET, { algorithms: ['HS256'] }) as JwtPayload;
      socket.user = { user_id: String(claims.sub), scope: claims['scope'] as User['scope'] };
    } catch {
      throw new WsException('unauthorized');
    }
    return true;
  }
}
