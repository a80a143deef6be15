/** Open, heartbeat, noop and close of Engine.IO; connected, refused and left of the namespace. Nothing binary. */
const OF_THE_PROTOCOL = /^(0\{.*\}|1|2|3probe|6|40\{.*\}|41|44\{.*\})$/s;

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Numbers anywhere inside that a language with doubles would not hold. */
function unsafeNumbers(value: unknown): number[] {
  if (typeof value === 'number') return Math.abs(value) < 2 ** 53 ? [] : [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(unsafeNumbers) : [];
}

/**
 * What is wrong with a packet of the server, as it came on the wire; undefined when it keeps the rules that every
 * Socket.IO client counts on: an event is a name and one object and asks for no ack, an answer is one object.
 */
export function brokenPacketRule(packet: unknown): string | undefined {
  if (typeof packet !== 'string') return 'it is binary';
  if (packet.startsWith('42')) return brokenEventRule(packet);
  if (packet.startsWith('43')) return brokenAnswerRule(packet);
  return OF_THE_PROTOCOL.test(packet) ? undefined : 'it is of no kind that a client knows';
}

function brokenEventRule(packet: string): string | undefined {
  // An id after the type would ask the client for an ack: the array follows at once.
  if (!packet.startsWith('42[')) return 'an event asks for an ack';
  const data = JSON.parse(packet.slice(2)) as unknown[];
  if (data.length !== 2 || typeof data[0] !== 'string' || !isObject(data[1]))
    return 'an event is not a name and one object';
  return unsafeNumbers(data).length > 0 ? 'a number is not below 2^53' : undefined;
}

function brokenAnswerRule(packet: string): string | undefined {
  const [, json] = /^43\d+(\[.*)$/s.exec(packet) ?? [];
  if (json === undefined) return 'an answer has no id';
  const data = JSON.parse(json) as unknown[];
  const [answer] = data;
  if (data.length !== 1 || !isObject(answer)) return 'an answer is not one object';
  const keys = Object.keys(answer);
  if (keys.length !== 1 || !['data', 'error'].includes(keys[0] ?? ''))
    return 'an answer is neither data nor error';
  return unsafeNumbers(data).length > 0 ? 'a number is not below 2^53' : undefined;
}
