import { CLIENT_TYPE_PATTERN, UNKNOWN_CLIENT_TYPE } from '@curbline/contract';
import type { Socket } from 'socket.io';

type Handshake = Socket['handshake'];

const first = (value: unknown): unknown => (Array.isArray(value) ? value[0] : value);
const present = (value: unknown): boolean => value !== undefined && value !== null && value !== '';

/** The token of a handshake: the first place that has one decides, even when what it has is no good. */
export function tokenOf(
  handshake: Pick<Handshake, 'auth' | 'headers' | 'query'>,
  queryToken: boolean,
): unknown {
  const bearer = /^bearer[ ]+(\S.*)$/i.exec(handshake.headers.authorization ?? '')?.[1]?.trimEnd();
  const places = [
    (handshake.auth as Handshake['auth'] | undefined)?.['token'] as unknown,
    bearer,
    first(handshake.headers['token']),
    queryToken ? first(handshake.query['token']) : undefined,
  ];
  return places.find(present);
}

/** The client type: a word, otherwise `unknown`. */
export function clientTypeOf(handshake: Pick<Handshake, 'auth' | 'query'>): string {
  const said =
    ((handshake.auth as Handshake['auth'] | undefined)?.['type'] as unknown) ??
    first(handshake.query['type']);
  return typeof said === 'string' && CLIENT_TYPE_PATTERN.test(said) ? said : UNKNOWN_CLIENT_TYPE;
}
