import type { Bug, Patch } from './bug.ts';

const QUEUE = 'packages/server/dist/store/append-queue.js';
const WRITER = 'packages/server/dist/store/append-writer.js';
const STATEMENTS = 'packages/server/dist/store/append-statements.js';
const CONNECTION = 'packages/server/dist/store/steady-connection.js';
const MESSAGES = 'packages/server/dist/chat/messages.service.js';
const DISPATCHER = 'packages/server/dist/gateway/dispatcher.js';
const OUTBOX = 'packages/client/dist/outbox.js';
const RECEIPTS = 'packages/server/dist/store/receipts.store.js';
const SEAT = 'packages/server/dist/chat/seat.js';
const STORE_ERROR = 'packages/server/dist/store/store-error.js';
const THREAD = 'packages/client/dist/thread.js';

/** The rows are handed out when the statement is done; the commit follows a moment later, before the next one begins. */
const commitLater: Patch = {
  file: CONNECTION,
  find: `const { prepared } = this.linked ?? (await opening);
            return await this.within(prepared.ask(statement, fill));`,
  put: `const { client, prepared } = await opening;
            await this.committed?.catch(() => undefined);
            await client.query('BEGIN');
            const rows = await this.within(prepared.ask(statement, fill));
            this.committed = new Promise((resolve) => setTimeout(resolve, 40)).then(() => client.query('COMMIT'));
            this.committed.catch(() => undefined);
            return rows;`,
};

/** A message that is stored and told: its sender is answered first where it was alone, at the end where it was not. */
const ANSWERED =
  /if \(result\.isAlone\)\s+answerNow\?\.\(answer\);(\s+this\.tell\([^\n]+\n\s+)return answer;/;
/** Both places in which an answer leaves. */
const WRITTEN = /(caller\.write(?:Now)?\(answerPacket\(id, json\)\))/g;

/** Mistakes that the suite must notice, each alone. `npm run chaos -- --prove` runs them all. */
export const bugs: readonly Bug[] = [
  {
    name: 'ack-before-commit',
    says: 'the ack is sent when the statement is done, 40 ms before its commit',
    patches: [commitLater],
    breaks: ['acked-is-stored'],
    faults: ['server-kill', 'both-kill', 'postgres-kill'],
    forS: 20,
  },
  {
    name: 'emit-before-commit',
    says: 'the others are told before the commit; the ack waits for it',
    patches: [
      commitLater,
      {
        file: MESSAGES,
        find: ANSWERED,
        put: '$1await this.store.writer.database.writer.committed; return answer;',
      },
    ],
    breaks: ['told-is-stored'],
    faults: ['postgres-kill', 'postgres-quit', 'backend-kill'],
    forS: 20,
  },
  {
    name: 'no-unique-key',
    says: 'the unique key is missing, and the look for an earlier row with it',
    sql: [
      `DO $$ DECLARE found record; BEGIN
         FOR found IN SELECT conname FROM pg_constraint WHERE conrelid = 'messages'::regclass AND contype = 'u' LOOP
           EXECUTE format('ALTER TABLE messages DROP CONSTRAINT %I', found.conname);
         END LOOP;
         EXECUTE replace(pg_get_functiondef('curbline_append'::regproc), 'm.booking_no = i.booking_no AND', 'false AND');
       END $$`,
    ],
    patches: [
      { file: STATEMENTS, find: /AND NOT EXISTS \([^)]*\)/, put: '' },
      { file: STATEMENTS, find: 'WHERE m.booking_no = $7[i] AND', put: 'WHERE false AND' },
    ],
    breaks: ['once'],
    faults: ['cut-before-ack', 'cut-after-request'],
    forS: 12,
  },
  {
    name: 'seq-from-memory',
    says: 'seq is counted in memory, and the count goes on when the commit fails',
    patches: [
      {
        file: WRITER,
        find: 'await (judged ? this.judge(batch) : this.store(batch))',
        put: 'await this.counted(batch)',
      },
      {
        file: WRITER,
        find: 'async store(batch) {',
        put: `async counted(batch) {
        const client = await this.database.writer.pool.connect();
        const [outcomes, at] = [[], new Date()];
        try {
            await client.query('BEGIN');
            this.heads ??= new Map();
            for (const { entry: e } of batch) {
                const kept = await client.query('SELECT seq, extract(epoch FROM created_at) * 1000 AS at_ms, kind, flags, id, body FROM messages WHERE booking_no = $1 AND client_id = $2 AND sender_no = $3', [e.bookingNo, e.clientId, e.senderNo]);
                if (kept.rows[0]) { outcomes.push(keptOutcome(kept.rows[0])); continue; }
                if (!this.heads.has(e.bookingNo))
                    this.heads.set(e.bookingNo, (await client.query('SELECT last_seq FROM bookings WHERE no = $1', [e.bookingNo])).rows[0].last_seq);
                const seq = this.heads.get(e.bookingNo) + 1;
                this.heads.set(e.bookingNo, seq);
                await client.query('INSERT INTO messages (booking_no, sender_no, created_at, seq, kind, flags, id, client_id, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)', [e.bookingNo, e.senderNo, at, seq, e.kind, e.flags, e.id, e.clientId, e.body]);
                await client.query('UPDATE bookings SET last_seq = $2 WHERE no = $1', [e.bookingNo, seq]);
                outcomes.push({ outcome: 'stored', seq, at });
            }
            await client.query('COMMIT');
        }
        catch (error) {
            client.release(true);
            throw error;
        }
        client.release();
        return outcomes;
    }
    async store(batch) {`,
      },
    ],
    breaks: ['gapless'],
    faults: ['postgres-kill', 'postgres-quit', 'backend-kill'],
    forS: 40,
  },
  {
    name: 'outbox-cleared-early',
    says: 'the SDK takes a message out of its outbox when it sends it, not when the server has confirmed it',
    patches: [
      {
        file: OUTBOX,
        find: 'const sent = await this.#ports.send(item.entry);',
        put: 'await this.#store.remove(item.entry.client_id); const sent = await this.#ports.send(item.entry);',
      },
    ],
    breaks: ['kept-is-stored'],
    faults: ['client-kill', 'postgres-stop', 'server-kill'],
    forS: 30,
  },
  {
    name: 'repeat-answered-as-new',
    says: 'a repeat is answered with the kept message, but as if it were new',
    patches: [
      {
        file: MESSAGES,
        find: 'return sent(message, true);',
        put: 'return sent(message, false);',
      },
    ],
    breaks: ['repeat-is-known'],
    faults: [],
    forS: 8,
  },
  {
    name: 'ack-never-sent',
    says: 'one answer in a hundred is forgotten',
    patches: [
      {
        file: DISPATCHER,
        find: WRITTEN,
        put: 'if (Math.random() >= 0.01) $1',
      },
    ],
    breaks: ['one-answer'],
    faults: [],
    forS: 8,
  },
  {
    name: 'page-off-by-one',
    says: 'a catch-up page begins one message too late',
    patches: [
      {
        file: MESSAGES,
        find: 'this.store.history(booking.no, row.from_seq, range)',
        put: 'this.store.history(booking.no, row.from_seq, range.after_seq > 0 ? { ...range, after_seq: range.after_seq + 1 } : range)',
      },
    ],
    breaks: ['page-is-whole', 'slice', 'sees-all'],
    faults: ['cut-before-request', 'flap'],
    forS: 12,
  },
  {
    name: 'live-text-differs',
    says: 'the live event shows the text in another Unicode form than the history',
    patches: [
      {
        file: MESSAGES,
        find: /this\.tell\(seat, result\.seq, at, message, actor\.socketId\);(\s+return answer;)/,
        put: "this.tell(seat, result.seq, at, message.replace(body, () => body.normalize('NFD')), actor.socketId);$1",
      },
    ],
    breaks: ['told-is-stored'],
    faults: [],
    forS: 6,
  },
  {
    name: 'order-swapped',
    says: 'a batch is written in the reverse of the order in which it came',
    patches: [
      {
        file: QUEUE,
        find: /(this\.waiting -= batch\.length;\s+)return batch;/,
        put: '$1return batch.reverse();',
      },
    ],
    breaks: ['sender-order', 'real-time-order'],
    faults: [],
    forS: 8,
  },
  {
    name: 'refused-but-told',
    says: 'one message in fifty is answered `unavailable` after it was stored and told',
    patches: [
      {
        file: MESSAGES,
        find: ANSWERED,
        put: "const isRefused = Math.random() < 0.02; if (result.isAlone && !isRefused) answerNow?.(answer);$1if (isRefused) throw new ChatError('unavailable'); return answer;",
      },
    ],
    breaks: ['refused-is-not-told'],
    faults: [],
    forS: 10,
  },
  {
    name: 'sdk-shows-what-came-early',
    says: 'the SDK shows a live message before it has read what came before it',
    patches: [
      {
        file: THREAD,
        find: 'for (let next; (next = this.#early.get(position + 1)); position = next.seq)\n            applied.push(next);',
        put: 'for (const next of this.early) if (next.seq > position) { applied.push(next); position = next.seq; }',
      },
    ],
    breaks: ['slice'],
    faults: ['cut-before-ack', 'flap', 'server-stop'],
    forS: 20,
  },
  {
    name: 'two-answers',
    says: 'one answer in a hundred is sent twice',
    patches: [
      {
        file: DISPATCHER,
        find: WRITTEN,
        put: 'for (let n = Math.random() < 0.01 ? 2 : 1; n > 0; n -= 1) $1',
      },
    ],
    breaks: ['one-answer'],
    faults: [],
    forS: 8,
  },
  {
    name: 'repeat-is-a-conflict',
    says: 'a repeat is compared by its length in bytes: one with other letters than ASCII is refused as another content',
    patches: [
      {
        file: MESSAGES,
        find: 'row.kind === kind && (row.body === body',
        put: 'row.kind === kind && Buffer.byteLength(row.body) === body.length && (row.body === body',
      },
    ],
    breaks: ['refusal-is-due'],
    faults: ['cut-before-ack', 'cut-after-request'],
    forS: 12,
  },
  {
    name: 'conflict-accepted',
    says: 'other content under a used client_id is answered as a repeat',
    patches: [
      {
        file: MESSAGES,
        find: 'row.kind === kind && (row.body === body || row.body === ERASED)',
        put: 'row.kind === kind',
      },
    ],
    breaks: ['conflict'],
    faults: [],
    forS: 12,
  },
  {
    name: 'sdk-overtakes',
    says: 'the SDK has several messages of a booking in flight: one that is refused for now is overtaken by the next',
    patches: [
      {
        file: OUTBOX,
        find: 'if (!this.#sending || this.#busy.has(bookingId))',
        put: 'if (!this.#sending)',
      },
      {
        file: OUTBOX,
        find: '!each.entry.error && mine(each)',
        put: '!each.entry.error && !each.flying && mine(each)',
      },
      { file: OUTBOX, find: 'this.#busy.add(bookingId);', put: 'item.flying = true;' },
      {
        file: OUTBOX,
        find: 'this.#busy.delete(bookingId);\n            this.#pump(bookingId);\n        });',
        put: 'item.flying = false;\n            this.#pump(bookingId);\n        });\n        this.#pump(bookingId);',
      },
    ],
    breaks: ['sender-order'],
    faults: ['postgres-stop', 'postgres-kill'],
    forS: 25,
  },
  {
    name: 'sdk-forgets-offline',
    says: 'what is said to the SDK while it has no link never reaches its outbox',
    patches: [
      {
        file: OUTBOX,
        find: 'this.#items.push(item);\n        this.#ports',
        put: 'if (!this.#sending && this.#turn > 0) return settling(item);\n        this.#items.push(item);\n        this.#ports',
      },
    ],
    breaks: ['said-is-stored'],
    faults: ['flap', 'server-kill'],
    forS: 15,
  },
  {
    name: 'sdk-gives-up',
    says: 'the SDK takes `unavailable` for good and gives the message up',
    patches: [
      { file: OUTBOX, find: 'else if (error.retryable)', put: "else if (error.code !== 'unavailable')" },
    ],
    breaks: ['refusal-is-due'],
    faults: ['postgres-stop', 'postgres-kill'],
    forS: 20,
  },
  {
    name: 'trouble-is-internal',
    says: 'a database that is away is answered `internal`, as if nobody knew why',
    patches: [
      { file: STORE_ERROR, find: '!(error instanceof ChatError) && isUnavailable(error)', put: 'false' },
    ],
    breaks: ['error-is-whole'],
    faults: ['postgres-kill', 'postgres-stop'],
    forS: 15,
  },
  {
    name: 'old-driver-hears',
    says: 'the driver who lost the seat is still told what is written',
    patches: [
      {
        file: SEAT,
        find: /if \(row\.to_seq !== null\)\s+continue;/,
        put: `if (row.to_seq !== null) {
            readers.push({ key: personKey({ user_id: row.user_id, scope: scopeOf(row.scope) }), fromSeq: row.from_seq });
            continue;
        }`,
      },
    ],
    breaks: ['last-word'],
    faults: [],
    forS: 10,
  },
  {
    name: 'receipt-goes-back',
    says: 'a receipt is what was marked last, not the greatest mark',
    patches: [
      {
        file: RECEIPTS,
        find: 'greatest(read_seq, sent, least($4::integer, last_seq)) AS read',
        put: 'greatest(sent, least($4::integer, last_seq)) AS read',
      },
    ],
    breaks: ['receipts-grow'],
    faults: [],
    forS: 15,
  },
];
