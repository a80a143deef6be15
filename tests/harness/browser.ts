import axe from 'axe-core';
import { chromium, type Browser, type BrowserContextOptions, type Locator, type Page } from 'playwright-core';
import { leaveOut } from './left-out.js';
import { chromiumPath } from './reachable.js';

/** The machine's own browser: nothing is downloaded. */
const CHROMIUM = chromiumPath();
const FLAGS = [
  '--headless=new',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Whether there is a browser here; says aloud what is left out when there is none. */
export function hasBrowser(what: string): boolean {
  if (CHROMIUM !== undefined) return true;
  leaveOut(what, 'no Chromium is installed (set TEST_CHROMIUM to name one)');
  return false;
}

export function openBrowser(): Promise<Browser> {
  if (CHROMIUM === undefined) throw new Error('hasBrowser says whether there is one');
  return chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
}

/** What a page did that its reader would not see. */
export interface Watched {
  /** Warnings and errors of the console, uncaught exceptions, violations of the content policy. */
  readonly complaints: string[];
  /** Every address that was asked for, sockets included. */
  readonly addresses: string[];
}

export interface DemoOptions {
  readonly page?: string;
  readonly driver?: string;
  readonly customer?: string;
  readonly theme?: 'light' | 'dark';
  readonly size?: { readonly width: number; readonly height: number };
}

const WIDE = { width: 1440, height: 900 };

/** The demo page of a server in a fresh browser profile, with the languages of the page and the phones chosen. */
export class DemoPage {
  readonly watched: Watched = { complaints: [], addresses: [] };
  readonly driver: Phone;
  readonly customer: Phone;

  private constructor(readonly page: Page) {
    this.driver = new Phone(page.locator('[data-phone=driver]'));
    this.customer = new Phone(page.locator('[data-phone=customer]'));
    page.on('console', (message) => {
      if (['warning', 'error'].includes(message.type())) this.watched.complaints.push(message.text());
    });
    page.on('pageerror', (error) => this.watched.complaints.push(String(error)));
    page.on('request', (request) => this.watched.addresses.push(request.url()));
    page.on('websocket', (socket) => this.watched.addresses.push(socket.url()));
  }

  static async open(browser: Browser, url: string, options: DemoOptions = {}): Promise<DemoPage> {
    const settings: BrowserContextOptions = {
      viewport: options.size ?? WIDE,
      colorScheme: options.theme ?? 'light',
      locale: 'en-US',
    };
    const context = await browser.newContext(settings);
    const languages = { page: options.page, driver: options.driver, customer: options.customer };
    await context.addInitScript((chosen) => {
      for (const [whose, tag] of Object.entries(chosen)) {
        if (tag !== undefined) localStorage.setItem(`curbline.language.${whose}`, tag);
      }
    }, languages);
    const demo = new DemoPage(await context.newPage());
    demo.page.setDefaultTimeout(15_000);
    await demo.page.goto(`${url}/demo/`);
    return demo;
  }

  /** A booking of its own, with both phones connected to it. */
  async newBooking(): Promise<string> {
    const code = this.page.locator('main code');
    const before = await code.textContent();
    await this.page.locator('header button[data-new-booking]').click();
    await this.page.waitForFunction((id) => {
      const shown = document.querySelector('main code')?.textContent;
      return shown !== undefined && shown !== id;
    }, before);
    await this.online();
    return (await code.textContent()) ?? '';
  }

  /** Waits until both phones are connected and know each other. */
  async online(): Promise<void> {
    await this.driver.root.locator('.presence[data-online=true]').waitFor({ state: 'attached' });
    await this.customer.root.locator('.presence[data-online=true]').waitFor({ state: 'attached' });
  }

  /** What axe finds, each as one line. */
  async axe(): Promise<string[]> {
    // A bubble that is still fading in has not its colours yet.
    await this.page.waitForFunction(() =>
      document.getAnimations().every((one) => one.effect?.getComputedTiming().endTime === Infinity),
    );
    // The content policy stands: the script comes in through the debugger, not through the page.
    await this.page.evaluate(axe.source);
    const found = await this.page.evaluate(async () => {
      const here = globalThis as unknown as { axe: { run: (options: object) => Promise<AxeResults> } };
      return (await here.axe.run({ resultTypes: ['violations'] })).violations;
    });
    return found.flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id} ${target.join(' ')}: ${failureSummary}`),
    );
  }

  close(): Promise<void> {
    return this.page.context().close();
  }
}

interface AxeResults {
  readonly violations: readonly {
    readonly id: string;
    readonly nodes: readonly { readonly target: readonly string[]; readonly failureSummary: string }[];
  }[];
}

/** One of the two phones of the page. */
export class Phone {
  constructor(readonly root: Locator) {}

  get field(): Locator {
    return this.root.locator('textarea');
  }

  get bubbles(): Locator {
    return this.root.locator('[role=log] ol > li.bubble');
  }

  /** The bubble that says this. */
  bubble(text: string): Locator {
    return this.bubbles.filter({ hasText: text });
  }

  /** Writes and presses Enter. */
  async write(text: string): Promise<void> {
    await this.field.fill(text);
    await this.field.press('Enter');
  }

  async tap(key: string): Promise<void> {
    await this.root.locator(`button[data-key=${key}]`).click();
  }

  async network(on: boolean): Promise<void> {
    await this.root
      .getByRole('radio')
      .nth(on ? 0 : 1)
      .click();
  }

  /** Waits until the bubble has come this far. */
  async reaches(text: string, state: 'queued' | 'stored' | 'delivered' | 'read' | 'failed'): Promise<void> {
    await this.root.locator(`li.bubble[data-state=${state}]`, { hasText: text }).waitFor();
  }
}

/** How many messages are on the disk of the browser. */
export const kept = (page: Page): Promise<number> =>
  page.evaluate(async () => {
    const database = await new Promise<IDBDatabase>((resolve, reject) => {
      const request = indexedDB.open('curbline-outbox');
      request.addEventListener('success', () => resolve(request.result));
      request.addEventListener('error', () => reject(request.error ?? new Error('cannot be opened')));
    });
    const count = await new Promise<number>((resolve) => {
      const request = database.transaction('entries').objectStore('entries').count();
      request.addEventListener('success', () => resolve(request.result));
    });
    database.close();
    return count;
  });
