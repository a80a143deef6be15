import type { ChatMessage, CurblineErrorCode, UserDetailObject } from '@curbline/client';

export type Role = 'driver' | 'customer';

/** How a phone stands towards the server. `off` is its own network switch. */
export type LinkState = 'connecting' | 'online' | 'retrying' | 'off' | 'refused';

export interface Peer {
  readonly detail: UserDetailObject;
  readonly online: boolean;
  readonly lastSeenAt?: Date;
}

export interface BookingState {
  readonly status: string;
  readonly chat: 'open' | 'read_only' | 'closed';
  readonly closesAt?: Date;
}

/** Everything a phone shows: made from the SDK's properties and events, nothing else. */
export interface PhoneView {
  readonly link: LinkState;
  readonly peer?: Peer;
  readonly booking?: BookingState;
  /** Set when joining was refused for good. */
  readonly joinError?: CurblineErrorCode;
  readonly messages: readonly ChatMessage[];
  readonly hasOlder: boolean;
  readonly peerTyping: boolean;
  /** Own messages that the server has not confirmed. */
  readonly waiting: number;
  readonly unread: number;
  /** `client_id` of each message that the SDK handed over as new, as often as it did so. */
  readonly handed: readonly string[];
}
