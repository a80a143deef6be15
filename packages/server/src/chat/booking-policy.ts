import { PARTY_SCOPES, type ChatState, type PartyScope } from '@curbline/contract';
import { PolicyTableSchema, type PolicyRule, type PolicyTable } from '../policy-table.js';

const open = { driver: 'send', customer: 'send' } as const;

/** Section 8 of the contract. */
export const DEFAULT_POLICY: PolicyTable = {
  statuses: {
    pending: { driver: 'none', customer: 'none' },
    accepted: open,
    arriving: open,
    arrived: open,
    in_progress: open,
    completed: { ...open, closing: true },
    cancelled: { ...open, closing: true },
  },
};

/** The facts of a booking that decide about its chat. */
export interface PolicyFacts {
  readonly status: string;
  readonly hasDriver: boolean;
  /** When the grace period of a closing status ends. */
  readonly closesAt: Date | null;
  /** When retention has erased, or will erase, the bodies. */
  readonly archivesAt: Date;
}

/** Answers what a role may do in a booking now. Pure: facts and a time in, a word out. */
export class BookingPolicy {
  /** The status words in which somebody may send. */
  readonly open: readonly string[];
  private readonly statuses: ReadonlyMap<string, PolicyRule>;

  constructor(table: PolicyTable) {
    this.statuses = new Map(Object.entries(PolicyTableSchema.parse(table).statuses));
    this.open = this.known.filter((status) =>
      PARTY_SCOPES.some((role) => this.statuses.get(status)?.[role] === 'send'),
    );
  }

  /** The status words this policy knows. */
  get known(): string[] {
    return [...this.statuses.keys()];
  }

  knows(status: string): boolean {
    return this.statuses.has(status);
  }

  isClosing(status: string): boolean {
    return this.statuses.get(status)?.closing ?? false;
  }

  /** Two statuses with one signature give everybody the same rights. */
  signature(status: string): string {
    return JSON.stringify(this.statuses.get(status) ?? null);
  }

  /** When the chat ceases to be open to one role, in milliseconds since 1970; `-Infinity` when it is not, whatever the time. */
  openUntilMs(role: PartyScope, facts: PolicyFacts): number {
    const { status, hasDriver, closesAt, archivesAt } = facts;
    if (!hasDriver || this.statuses.get(status)?.[role] !== 'send') return Number.NEGATIVE_INFINITY;
    return Math.min(archivesAt.getTime(), closesAt?.getTime() ?? Number.POSITIVE_INFINITY);
  }

  /** The chat as one role sees it. */
  chatFor(role: PartyScope, facts: PolicyFacts, now: Date): ChatState {
    const nowMs = now.getTime();
    if (nowMs < this.openUntilMs(role, facts)) return 'open';
    const rule = this.statuses.get(facts.status);
    if (rule === undefined || !facts.hasDriver || facts.archivesAt.getTime() <= nowMs) return 'closed';
    const right = rule[role];
    return right === 'none' ? 'closed' : 'read_only';
  }

  /** The chat as the host sees it: what the role with most rights may do. */
  chat(facts: PolicyFacts, now: Date): ChatState {
    const states = PARTY_SCOPES.map((role) => this.chatFor(role, facts, now));
    return states.includes('open') ? 'open' : states.includes('read_only') ? 'read_only' : 'closed';
  }
}
