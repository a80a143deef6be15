import type { Scope } from '@curbline/contract';

/** A person of the host's, by scope and the host's own id. */
export interface PersonRef {
  readonly scope: Scope;
  readonly user_id: string;
}

/** Who asks: the person, and the socket they ask through. First argument of every public service method. */
export interface Actor extends PersonRef {
  /** `personKey` of the person. */
  readonly key: string;
  /** Name in the token; the host's name for the person wins. */
  readonly name?: string;
  /** Client type of the handshake, e.g. `flutter`. */
  readonly type: string;
  /** The asking socket: it gets the answer, not the event. */
  readonly socketId: string;
  /** When its handshake began, on the process's own clock. */
  readonly cameAtMs: number;
  /** The seat that this socket sent from last: where `AccessService` looks first, and nobody else. */
  lastSeat?: object | undefined;
}

/** The actor behind a socket. Hosts log `socket.user`: what it remembers is neither copied nor printed. */
export class SocketActor implements Actor {
  readonly scope: Scope;
  readonly user_id: string;
  readonly key: string;
  readonly type: string;
  readonly socketId: string;
  readonly cameAtMs: number;
  declare readonly name?: string;
  #lastSeat: object | undefined;

  constructor({ scope, user_id, name, type, socketId, cameAtMs }: Omit<Actor, 'key' | 'lastSeat'>) {
    this.scope = scope;
    this.user_id = user_id;
    this.key = personKey({ scope, user_id });
    this.type = type;
    this.socketId = socketId;
    this.cameAtMs = cameAtMs;
    if (name !== undefined) this.name = name;
  }

  get lastSeat(): object | undefined {
    return this.#lastSeat;
  }

  set lastSeat(seat: object | undefined) {
    this.#lastSeat = seat;
  }
}

/** One key for a person in maps: scopes hold no colon, ids may hold anything. Whoever is an actor has it. */
export const personKey = (person: PersonRef & { readonly key?: string }): string =>
  person.key ?? `${person.scope}:${person.user_id}`;
