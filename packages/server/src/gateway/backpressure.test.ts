import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Backpressure, type Readable } from './backpressure.js';

class Client implements Readable {
  isRead = true;

  pauseReading(): void {
    this.isRead = false;
  }

  resumeReading(): void {
    this.isRead = true;
  }
}

let pressure: Backpressure;
let clients: Client[];
const unread = () => clients.filter(({ isRead }) => !isRead).length;
const begin = (count: number) => {
  for (let index = 0; index < count; index += 1) pressure.begin();
};
const end = (count: number) => {
  for (let index = 0; index < count; index += 1) pressure.end();
};

/** A thousand commands, and each client has brought one more. */
const flood = () => {
  begin(1_000);
  hear();
};
const hear = () => {
  for (const client of clients) pressure.heard(client);
};

beforeEach(() => {
  vi.useFakeTimers();
  pressure = new Backpressure();
  clients = Array.from({ length: 20 }, () => new Client());
});
afterEach(() => {
  vi.useRealTimers();
});

test('nobody is left unread below a thousand commands', () => {
  begin(999);
  hear();
  expect(unread()).toBe(0);
});

test('who brings more is left unread, and read again by and by once half is done', () => {
  flood();
  expect(unread()).toBe(20);
  end(500);
  vi.advanceTimersByTime(0);
  expect(unread(), 'five hundred are not few').toBe(20);
  end(1);
  vi.advanceTimersToNextTimer();
  expect(unread()).toBe(12);
  // What the eight brought is enough.
  begin(1);
  vi.advanceTimersByTime(0);
  vi.advanceTimersByTime(10);
  expect(unread()).toBe(12);
  end(500);
  vi.advanceTimersByTime(10);
  expect(unread()).toBe(0);
});

test('those who were left unread first are read first', () => {
  flood();
  end(501);
  vi.advanceTimersToNextTimer();
  expect(clients.slice(0, 8).every(({ isRead }) => isRead)).toBe(true);
});

test('a disk that stands still for most of a second brings nobody to be read', () => {
  flood();
  vi.advanceTimersByTime(900);
  expect(unread()).toBe(20);
  end(1);
  vi.advanceTimersByTime(700);
  expect(unread(), 'since something has ended').toBe(20);
});

test('while nothing ends at all, everybody is read, until things move again', () => {
  flood();
  vi.advanceTimersByTime(1_300);
  expect(unread()).toBe(0);
  hear();
  expect(unread(), 'a store that hangs').toBe(0);
  begin(600);
  end(1);
  hear();
  expect(unread(), 'what is in memory is enough to do').toBe(20);
});

test('no timer is left once everybody is read', () => {
  flood();
  end(1_000);
  vi.advanceTimersByTime(10);
  expect(unread()).toBe(0);
  expect(vi.getTimerCount()).toBe(0);
});
