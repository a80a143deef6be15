import { Injectable } from '@nestjs/common';

/** What brings commands, and can be left unread for a while. */
export interface Readable {
  pauseReading(): void;
  resumeReading(): void;
}

/** Commands under way beyond which the sockets that bring more are not read. Two full batches: the log is never short of work. */
const MOST = 1_000;
/** They are read again while fewer than this are under way. */
const FEW = 500;
/** In one turn of the event loop: each may bring all that its client has sent meanwhile. */
const AT_ONCE = 8;
const LOOK_MS = 250;
/**
 * A store that hangs answers nobody: then clients learn that in time, instead of being left unread. So many looks find that nothing has ended before
 * the next one gives up, after three quarters of a second to one: well below the time after which a store is given up (`SILENCE_TIMEOUT_MS`), and
 * longer than a disk may be held up by its neighbours, because all that is read meanwhile has to go through the heap.
 */
const PATIENT_LOOKS = 3;

/**
 * Leaves sockets unread while too much is under way. What clients send faster than it can be stored waits in the network. Where it waited in
 * the heap, each message cost three times as much: a server that was overtaken once stayed so for as long as they went on.
 */
@Injectable()
export class Backpressure {
  private underWay = 0;
  /** In the order in which they will be read again. */
  private readonly unread = new Set<Readable>();
  private watch: NodeJS.Timeout | undefined;
  private isResuming = false;
  /** Looks since something has ended. */
  private idleLooks = 0;

  /** Commands that are not answered yet. */
  get inFlight(): number {
    return this.underWay;
  }

  begin(): void {
    this.underWay += 1;
  }

  end(): void {
    this.underWay -= 1;
    // Patient again at once: what was read meanwhile is enough to do, and more of it would keep the heap full for as long as clients send.
    this.idleLooks = 0;
    if (this.unread.size > 0) this.resumeSoon();
  }

  /** This one has just brought a command. */
  heard(from: Readable): void {
    if (this.underWay < MOST || this.hasGivenUp || this.unread.has(from)) return;
    from.pauseReading();
    this.unread.add(from);
    this.watch ??= setInterval(() => this.look(), LOOK_MS).unref();
  }

  private resumeSoon(): void {
    if (this.isResuming || this.underWay >= FEW) return;
    this.isResuming = true;
    setImmediate(() => {
      this.isResuming = false;
      // What the last ones brought may be enough.
      if (this.underWay >= FEW) return;
      this.resume(AT_ONCE);
      if (this.unread.size > 0) this.resumeSoon();
    });
  }

  private resume(most: number): void {
    let left = most;
    for (const each of this.unread) {
      if (left === 0) break;
      left -= 1;
      this.unread.delete(each);
      each.resumeReading();
    }
    if (this.unread.size > 0) return;
    clearInterval(this.watch);
    this.watch = undefined;
  }

  private look(): void {
    this.idleLooks += 1;
    // What has come while this process was busy is read first: an answer of the store may be among it.
    if (this.hasGivenUp) setImmediate(() => this.hasGivenUp && this.resume(this.unread.size));
  }

  private get hasGivenUp(): boolean {
    return this.idleLooks > PATIENT_LOOKS;
  }
}
