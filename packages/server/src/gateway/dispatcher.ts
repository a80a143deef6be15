import { commands, isCommandName, type Answer, type CommandName, type Payload } from '@curbline/contract';
import { Inject, Injectable } from '@nestjs/common';
import type { z } from 'zod';
import type { Actor } from '../actor.js';
import { ChatError } from '../chat-error.js';
import { Deadlines } from '../deadlines.js';
import type { ChatSocket, Line } from '../fanout/fanout.js';
import { Packet } from '../fanout/packet.js';
import { parseInput } from '../input.js';
import { ErrorReport } from '../ops/error-report.js';
import { Printed } from '../printed.js';
import { TextCommand } from '../text-command.js';
import { Backpressure } from './backpressure.js';
import { BookingsGateway } from './bookings.gateway.js';
import { CommandLimit } from './command-limit.js';
import { ConnectionsGateway } from './connections.gateway.js';
import { MessagesGateway } from './messages.gateway.js';
import { commandsOf, type CommandHandler } from './on-command.js';
import type { PlainEvent } from './packet-parser.js';
import { isPlainText } from './plain-text.js';
import { SignalsGateway } from './signals.gateway.js';
import { TokensGateway } from './tokens.gateway.js';

/** Who asks past Socket.IO, and the way back to them. */
export interface Caller extends Line {
  readonly socket: ChatSocket;
  /** Their Socket.IO socket is connected. */
  readonly isThere: boolean;
}

type Callback = (answer: Answer<unknown>) => void;

const MAX_ECHOED_NAME = 64;
/** A command that asks the store several things is `unavailable` within 2 s too. */
const PATIENCE_MS = 1_900;

/**
 * Every packet of every socket comes through here: name → schema → handler → one answer. Bound straight to the
 * socket, because Nest's own message pipeline costs two thirds of the throughput and never answers a failed ack.
 */
@Injectable()
export class Dispatcher {
  private readonly handlers = new Map<CommandName, CommandHandler<CommandName>>();
  private readonly deadlines = new Deadlines(PATIENCE_MS, 'the command took too long');
  private stopping = false;

  constructor(
    @Inject(ErrorReport) private readonly report: ErrorReport,
    @Inject(CommandLimit) private readonly limit: CommandLimit,
    @Inject(Backpressure) private readonly pressure: Backpressure,
    @Inject(ConnectionsGateway) connections: ConnectionsGateway,
    @Inject(MessagesGateway) messages: MessagesGateway,
    @Inject(SignalsGateway) signals: SignalsGateway,
    @Inject(BookingsGateway) bookings: BookingsGateway,
    @Inject(TokensGateway) tokens: TokensGateway,
  ) {
    for (const gateway of [connections, messages, signals, bookings, tokens]) {
      for (const [name, handler] of commandsOf(gateway)) this.handlers.set(name, handler);
    }
  }

  /** The commands that are served. */
  get served(): CommandName[] {
    return [...this.handlers.keys()];
  }

  /** Commands that are not answered yet. */
  get inFlight(): number {
    return this.pressure.inFlight;
  }

  /** From now on nothing new is begun. */
  stop(): void {
    this.stopping = true;
  }

  /**
   * An event as Socket.IO hands it over. Never throws and never rejects: what a client sends ends in exactly
   * one answer.
   */
  async dispatch(socket: ChatSocket, actor: Actor, name: unknown, args: unknown[]): Promise<void> {
    const callback = typeof args.at(-1) === 'function' ? (args.pop() as Callback) : undefined;
    this.pressure.begin();
    try {
      const data = await this.handle(socket, actor, name, args.length, args[0]);
      if (data instanceof Printed) this.limit.answered(actor, name, data.json.length);
      callback?.({ data: data instanceof Printed ? data.parsed() : data });
    } catch (error) {
      const command = echoed(name);
      const described = this.report.describe(error, `command ${JSON.stringify(command)}`);
      if (callback) callback({ error: described });
      else socket.emit('exception', { command, error: described });
    } finally {
      this.pressure.end();
    }
  }

  /** The same for an event that came past Socket.IO, and whose answer leaves likewise. */
  async answer(caller: Caller, actor: Actor, { id, data: event }: PlainEvent): Promise<void> {
    const name = event[0];
    let isAnswered = false;
    const answerNow = ({ json }: Printed<unknown>): void => {
      if (id === undefined || isAnswered) return;
      isAnswered = true;
      if (caller.isThere) caller.writeNow(answerPacket(id, json));
    };
    this.pressure.begin();
    try {
      const data = await this.handle(caller.socket, actor, name, event.length - 1, event[1], answerNow);
      if (id === undefined || isAnswered) return;
      const json = data instanceof Printed ? data.json : JSON.stringify(data);
      this.limit.answered(actor, name, json.length);
      if (caller.isThere) caller.write(answerPacket(id, json));
    } catch (error) {
      const command = echoed(name);
      const described = this.report.describe(error, `command ${JSON.stringify(command)}`);
      if (isAnswered || !caller.isThere) return;
      const text =
        id === undefined
          ? `2${JSON.stringify(['exception', { command, error: described }])}`
          : `3${id}${JSON.stringify([{ error: described }])}`;
      caller.write(new Packet(text));
    } finally {
      this.pressure.end();
    }
  }

  private handle(
    socket: ChatSocket,
    actor: Actor,
    name: unknown,
    count: number,
    input: unknown,
    answerNow?: (answer: Printed<unknown>) => void,
  ): Promise<unknown> {
    // What was asked before is still answered; a client sends this again to whoever serves it next.
    if (this.stopping) throw new ChatError('unavailable', { retryAfterMs: 1_000 });
    const handler = isCommandName(name) ? this.handlers.get(name) : undefined;
    if (!isCommandName(name) || !handler) throw ChatError.invalid([{ path: '', message: 'unknown command' }]);
    this.limit.take(actor, name);
    if (count > 1)
      throw ChatError.invalid([{ path: '', message: 'one object is expected, not several arguments' }]);
    if (name === 'message.send' && (input instanceof TextCommand || isPlainText(input)))
      return handler(actor, input, answerNow);
    // The table pairs each name with its schema and each handler with its name; TypeScript cannot follow the pair.
    const payload = parseInput(commands[name].payload as z.ZodType<Payload<CommandName>>, input);
    // What is under way may yet be kept, and `unavailable` says that it was not: the append bounds a send by itself.
    if (name === 'message.send') return handler(actor, payload, answerNow);
    const isThere = () => socket.connected && socket.conn.readyState === 'open';
    return this.limit.run(actor, name, isThere, () => this.deadlines.within(handler(actor, payload)));
  }
}

const answerPacket = (id: number, json: string): Packet => new Packet(`3${id}[{"data":${json}}]`);

const echoed = (name: unknown): string => (typeof name === 'string' ? name.slice(0, MAX_ECHOED_NAME) : '');
