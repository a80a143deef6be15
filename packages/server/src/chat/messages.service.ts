import type { EventPayload, Payload, Result } from '@curbline/contract';
import { Inject, Injectable } from '@nestjs/common';
import type { Actor } from '../actor.js';
import { ChatError } from '../chat-error.js';
import { Fanout } from '../fanout/fanout.js';
import { isoTime } from '../ops/iso-time.js';
import { uuidV7 } from '../ops/uuid-v7.js';
import { Printed } from '../printed.js';
import { kindCode, scopeCode } from '../store/codes.js';
import { flagsFor, messageJson } from '../store/message-row.js';
import { MessagesStore } from '../store/messages.store.js';
import { TextCommand } from '../text-command.js';
import { AccessService } from './access.service.js';
import { CannedMessages } from './canned-catalogue.js';
import { printedMessages, withMessages, type PrintedPage } from './printed-page.js';
import { SendLimit } from './send-limit.js';
import type { Seat } from './seat.js';

type Command = Payload<'message.send'>;
type Sent = Printed<Result<'message.send'>>;
type AnswerNow = (sent: Sent) => void;

/** A command, and its content as it is stored. */
interface Sending {
  readonly command: Command;
  readonly body: string;
  readonly answerNow: AnswerNow | undefined;
}

/** Who comes back sends first what was not answered; some of it may have been kept by who served them before. */
const RESENT_WITHIN_MS = 5_000;
/** Rights can change again while a send is judged again; a booking that never rests is a fault, not a loop. */
const MAX_JUDGEMENTS = 8;

/** Messages between the people of a booking: may they, store, tell. */
@Injectable()
export class MessagesService {
  /** Senders whose message is being judged again: their later messages wait, so that order is kept. */
  private readonly rejudging = new Map<number, Promise<unknown>>();

  constructor(
    @Inject(AccessService) private readonly access: AccessService,
    @Inject(MessagesStore) private readonly store: MessagesStore,
    @Inject(Fanout) private readonly fanout: Fanout,
    @Inject(SendLimit) private readonly limit: SendLimit,
    @Inject(CannedMessages) private readonly canned: CannedMessages,
  ) {}

  /**
   * Stores a message once for its `client_id`, then tells every participant. Of one that was stored alone its sender hears first, by `answerNow`:
   * telling the others is work that only they wait for.
   */
  async send(actor: Actor, command: Command, answerNow?: AnswerNow): Promise<Sent> {
    this.limit.take(actor);
    const sending: Sending = { command, body: this.bodyOf(command), answerNow };
    const { booking_id } = command;
    const seat = this.access.heldSender(actor, booking_id) ?? (await this.access.seat(actor, booking_id));
    const lane = seat.no;
    while (this.rejudging.has(lane)) await this.rejudging.get(lane);
    return (await this.tryAppend(seat, actor, sending)) ?? (await this.judgeAgain(lane, actor, sending));
  }

  /** A page of what the caller's seat can see. */
  async list(actor: Actor, range: Payload<'message.list'>): Promise<Printed<Result<'message.list'>>> {
    const seat = await this.access.require(actor, range.booking_id, 'read');
    const { messages, ...rest } = await this.page(actor, seat, range);
    return withMessages(rest, messages);
  }

  /** The rows of a seat. A page that was read at a newer epoch is read again with the rights of that epoch. */
  async page(
    actor: Actor,
    seat: Seat,
    range: { before_seq?: number | undefined; after_seq?: number | undefined; limit: number },
  ): Promise<PrintedPage> {
    let current = seat;
    for (let judgement = 0; judgement < MAX_JUDGEMENTS; judgement += 1) {
      const { booking, row } = current;
      const found = await this.store.history(booking.no, row.from_seq, range);
      if (found.epoch === booking.epoch) {
        const messages = printedMessages(booking, found.rows);
        return { messages, last_seq: found.lastSeq, has_more: found.hasMore };
      }
      current = await this.access.refreshed(actor, booking.id);
      const denial = this.access.denial(current, 'read');
      if (denial) throw denial;
    }
    throw new Error('the rights of a booking changed each time a page was read');
  }

  /** As it is stored: the very text that the live event prints, so that history and event are equal byte for byte. */
  private bodyOf(command: Command): string {
    if (command instanceof TextCommand) return command.bodyJson;
    return JSON.stringify(command.kind === 'canned' ? this.canned.checked(command.body) : command.body);
  }

  /**
   * One try with the rights of a seat; undefined when those rights are outdated. Who is told follows from the
   * same rights: nobody who has lost a seat meanwhile, everybody who has taken one.
   */
  private async tryAppend(seat: Seat, actor: Actor, sending: Sending): Promise<Sent | undefined> {
    const { command, body, answerNow } = sending;
    const denial = this.access.denial(seat, 'send');
    if (denial) return this.answerKept(seat, sending, denial);
    const kind = kindCode(command.kind);
    const entry = {
      bookingNo: seat.bookingNo,
      epoch: seat.epoch,
      senderNo: seat.personNo,
      scope: scopeCode(seat.scope),
      clientId: command.client_id.toLowerCase(),
      flags: flagsFor(command.client_id),
      kind,
      id: uuidV7(),
      body,
      mayBeKept: performance.now() - actor.cameAtMs < RESENT_WITHIN_MS,
    };
    const result = await this.store.append(entry);
    if (result.outcome === 'stale') return undefined;
    if (result.outcome === 'kept') {
      const { row, seq, at } = result;
      const kept = { ...row, seq, created_at: at, sender_no: entry.senderNo, client_id: entry.clientId };
      if (!sameContent(row, kind, body)) throw new ChatError('conflict');
      const message = messageJson(kept, seat.bookingJson, seat.senderJson);
      if (result.untold) this.tell(seat, result.seq, isoTime(at), message, actor.socketId);
      return sent(message, true);
    }
    const at = isoTime(result.at);
    // Spelled once, for answer and event.
    const row = {
      id: entry.id,
      seq: result.seq,
      sender_no: entry.senderNo,
      client_id: entry.clientId,
      flags: entry.flags,
      kind,
      body,
      created_at: result.at,
    };
    const message = messageJson(row, seat.bookingJson, seat.senderJson);
    const answer = sent(message, false);
    if (result.isAlone) answerNow?.(answer);
    this.tell(seat, result.seq, at, message, actor.socketId);
    return answer;
  }

  private async judgeAgain(lane: number, actor: Actor, sending: Sending): Promise<Sent> {
    while (this.rejudging.has(lane)) await this.rejudging.get(lane);
    const judged = this.rejudge(actor, sending);
    const settled = judged.then(
      () => undefined,
      () => undefined,
    );
    this.rejudging.set(lane, settled);
    try {
      return await judged;
    } finally {
      if (this.rejudging.get(lane) === settled) this.rejudging.delete(lane);
    }
  }

  private async rejudge(actor: Actor, sending: Sending): Promise<Sent> {
    for (let judgement = 0; judgement < MAX_JUDGEMENTS; judgement += 1) {
      const seat = await this.access.refreshed(actor, sending.command.booking_id);
      const sent = await this.tryAppend(seat, actor, sending);
      if (sent) return sent;
    }
    // Or the database's clock has passed the closing time and ours has not yet: nothing was kept, and it settles.
    throw new ChatError('unavailable', {
      cause: new Error('the rights of a booking changed each time a message was judged'),
      retryAfterMs: 1_000,
    });
  }

  /** The chat has closed meanwhile: a repeat still gets the kept message, anything new the reason. */
  private async answerKept(seat: Seat, { command, body }: Sending, denial: ChatError): Promise<Sent> {
    const row = await this.store.kept(seat.bookingNo, seat.personNo, command.client_id);
    if (!row) throw denial;
    if (!sameContent(row, kindCode(command.kind), body)) throw new ChatError('conflict');
    return sent(messageJson(row, seat.bookingJson, seat.senderJson), true);
  }

  private tell(seat: Seat, seq: number, at: string, message: string, askerId: string): void {
    const { bookingJson, senderJson, readSeq } = seat;
    const readers = seat.readers.filter(({ fromSeq }) => fromSeq <= seq);
    seat.readSeq = Math.max(readSeq, seq);
    const created = new Printed<EventPayload<'message.created'>>(
      `{"booking_id":${bookingJson},"message":${message}}`,
    );
    const asker = { reader: seat.reader, socketId: askerId };
    this.fanout.toReaders(readers, 'message.created', created, asker);
    // Who writes has read what came before; told only when that says something new.
    if (seq - 1 <= readSeq) return;
    // The sender is `{ user_id, scope }`: spelled in place, because it is told with each message of two people who talk.
    const receipt = new Printed<EventPayload<'receipt.updated'>>(
      `{"booking_id":${bookingJson},${senderJson.slice(1, -1)},"delivered_seq":${seq},"read_seq":${seq},"at":"${at}"}`,
    );
    this.fanout.toReaders(readers, 'receipt.updated', receipt, asker);
  }
}

const sent = (message: string, duplicate: boolean): Sent =>
  new Printed(`{"message":${message},"duplicate":${duplicate}}`);

const ERASED = '{"erased":true}';

/** A repeat of an erased message is still a repeat: nobody can compare what is gone. */
const sameContent = (row: { kind: number; body: string }, kind: number, body: string): boolean =>
  row.kind === kind && (row.body === body || row.body === ERASED);
