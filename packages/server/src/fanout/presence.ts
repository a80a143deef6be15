import { Injectable } from '@nestjs/common';
import { personKey, type Actor, type PersonRef } from '../actor.js';

/** A person's presence changed on this node. */
export type PresenceListener = (person: Known, at: Date) => void;
/** With what their handshake said. */
type Known = PersonRef & Partial<Actor>;

interface Connected {
  readonly person: Known;
  readonly sockets: Actor[];
  /** What the others were told last. */
  told: string;
  /** When the last socket left, by the process's own clock; undefined while there is one. */
  leftAtMs: number | undefined;
}

interface Leaving {
  readonly key: string;
  readonly entry: Connected;
  readonly atMs: number;
}

/** A page that reloads or a phone that changes cells is back within this: nobody needs to hear of it. */
const LINGER_MS = 2_000;
/** Of those who left shortly after one another, all are told together. */
const LOOK_EVERY_MS = 20;

/** Who is connected here. A person is online while any socket lives, whatever the order of late disconnects. */
@Injectable()
export class Presence {
  private readonly people = new Map<string, Connected>();
  /** In the order in which they left: one timer is enough for a fleet that drops out. */
  private readonly leaving: Leaving[] = [];
  private timer: NodeJS.Timeout | undefined;
  private listener: PresenceListener | undefined;

  onChange(listener: PresenceListener): void {
    this.listener = listener;
  }

  connected(actor: Actor): void {
    const { key } = actor;
    const entry: Connected = this.people.get(key) ?? {
      person: actor,
      sockets: [],
      told: '',
      leftAtMs: undefined,
    };
    this.people.set(key, entry);
    entry.sockets.push(actor);
    entry.leftAtMs = undefined;
    this.settle(key, entry);
  }

  disconnected(actor: Actor): void {
    const { key } = actor;
    const entry = this.people.get(key);
    const at = entry?.sockets.indexOf(actor) ?? -1;
    if (!entry || at < 0) return;
    entry.sockets.splice(at, 1);
    if (entry.sockets.length > 0) {
      this.settle(key, entry);
      return;
    }
    const atMs = (entry.leftAtMs = performance.now());
    this.leaving.push({ key, entry, atMs });
    this.timer ??= this.look(LINGER_MS);
  }

  /** Client types of the person's sockets, each once; while they may come back, those of before. Empty when offline. */
  types(person: PersonRef): string[] {
    const entry = this.people.get(personKey(person));
    if (!entry) return [];
    return entry.sockets.length > 0 ? typesOf(entry) : entry.told.split(' ');
  }

  isOnline(person: PersonRef): boolean {
    return this.people.has(personKey(person));
  }

  /** Everybody who is connected here, or has been a moment ago. */
  get everybody(): PersonRef[] {
    return [...this.people.values()].map(({ person }) => person);
  }

  get personCount(): number {
    return this.people.size;
  }

  /** No timer of this stays behind. */
  stop(): void {
    clearTimeout(this.timer);
    this.listener = undefined;
  }

  private look(inMs: number): NodeJS.Timeout {
    return setTimeout(() => this.settleLeft(performance.now() - LINGER_MS), inMs).unref();
  }

  /** Those who left until then, and have not come back since, are gone. */
  private settleLeft(untilMs: number): void {
    const { leaving } = this;
    let over = 0;
    // A timer may fire a fraction of a millisecond early by the clock that is compared with.
    for (let next = leaving[0]; next && next.atMs <= untilMs + 1; next = leaving[over]) {
      const { key, entry, atMs } = next;
      if (entry.leftAtMs === atMs) this.settle(key, entry);
      over += 1;
    }
    leaving.splice(0, over);
    const [next] = leaving;
    this.timer = next && this.look(Math.max(LOOK_EVERY_MS, next.atMs - untilMs));
  }

  private settle(key: string, entry: Connected): void {
    if (entry.sockets.length === 0) this.people.delete(key);
    const [first] = entry.sockets;
    const now = first && entry.sockets.length === 1 ? first.type : typesOf(entry).join(' ');
    if (now === entry.told) return;
    entry.told = now;
    this.listener?.(entry.person, new Date());
  }
}

const typesOf = (entry: Connected): string[] => [...new Set(entry.sockets.map(({ type }) => type))].sort();
