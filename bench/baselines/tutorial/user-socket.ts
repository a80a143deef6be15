import type { Socket } from 'socket.io';

export interface User {
  user_id: string;
  scope: 'driver' | 'customer';
}

export interface UserSocket extends Socket {
  user: User;
}
