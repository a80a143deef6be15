import { Injectable } from '@nestjs/common';
import { personKey, type Actor, type PersonRef } from '../actor.js';

/** A person's presence changed on this node. */
export type PresenceListener = (person: Known, at: Date) => void;
/** With the name of the token, if it had one. */
type Known = PersonRef & { readonly name?: string };

interface Connected {
  readonly person: Known;
  readonly sockets: Actor[];
  /** What the others were told last. */
  told: string;
  timer: NodeJS.Timeout | undefined;
}

/** A page that reloads or a phone that changes cells is back within this: nobody needs to hear of it. */
const LINGER_MS = 2_000;

/** Who is connected here. A person is online while any socket lives, whatever the order of late disconnects. */
@Injectable()
export class Presence {
  private readonly people = new Map<string, Connected>();
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
      timer: undefined,
    };
    this.people.set(key, entry);
    entry.sockets.push(actor);
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
    entry.timer = setTimeout(() => this.settle(key, entry), LINGER_MS);
    entry.timer.unref();
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
    for (const entry of this.people.values()) clearTimeout(entry.timer);
    this.listener = undefined;
  }

  private settle(key: string, entry: Connected): void {
    clearTimeout(entry.timer);
    entry.timer = undefined;
    if (entry.sockets.length === 0) this.people.delete(key);
    const [first] = entry.sockets;
    const now = first && entry.sockets.length === 1 ? first.type : typesOf(entry).join(' ');
    if (now === entry.told) return;
    entry.told = now;
    this.listener?.(entry.person, new Date());
  }
}

const typesOf = (entry: Connected): string[] => [...new Set(entry.sockets.map(({ type }) => type))].sort();
