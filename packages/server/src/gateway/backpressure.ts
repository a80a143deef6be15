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
/** A store that hangs answers nobody: then clients learn that in time, instead of being left unread. */
const PATIENCE_MS = 250;

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
  /** Something has ended since it was last looked at. */
  private isMoving = true;
  private isPatient = true;

  /** Commands that are not answered yet. */
  get inFlight(): number {
    return this.underWay;
  }

  begin(): void {
    this.underWay += 1;
  }

  end(): void {
    this.underWay -= 1;
    this.isMoving = true;
    if (this.underWay < FEW) this.isPatient = true;
    if (this.unread.size > 0) this.resumeSoon();
  }

  /** This one has just brought a command. */
  heard(from: Readable): void {
    if (this.underWay < MOST || !this.isPatient || this.unread.has(from)) return;
    from.pauseReading();
    this.unread.add(from);
    this.watch ??= setInterval(() => this.look(), PATIENCE_MS).unref();
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
    // What has come while this process was busy is read first: an answer of the store may be among it.
    if (!this.isMoving) setImmediate(() => this.giveUp());
    this.isMoving = false;
  }

  private giveUp(): void {
    if (this.isMoving) return;
    this.isPatient = false;
    this.resume(this.unread.size);
  }
}
