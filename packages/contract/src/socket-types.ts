import type { CommandName, EventName } from './names.js';
import type { Answer } from './errors.js';
import type { PayloadInput, Result } from './commands.js';
import type { EventPayload } from './events.js';

/** For `io<ServerToClientEvents, ClientToServerEvents>()` of socket.io-client: what a client may emit. */
export type ClientToServerEvents = {
  [N in CommandName]: (payload: PayloadInput<N>, callback?: (answer: Answer<Result<N>>) => void) => void;
};

/** What a client may listen for. */
export type ServerToClientEvents = {
  [N in EventName]: (event: EventPayload<N>) => void;
};
