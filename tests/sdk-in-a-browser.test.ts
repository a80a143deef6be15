import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasBrowser, kept, openBrowser } from './harness/browser.js';
import { SdkPage } from './harness/sdk-page.js';
import { TestServer } from './harness/server.js';
import { until } from './harness/until.js';

describe.runIf(hasBrowser('the SDK in a browser'))('in a browser', () => {
  let server: TestServer;
  let browser: Browser;
  let app: SdkPage;
  let reactApp: SdkPage;

  beforeAll(async () => {
    [server, browser, app, reactApp] = await Promise.all([
      TestServer.start(),
      openBrowser(),
      SdkPage.serve(new URL('./harness/sdk-plain-page.ts', import.meta.url)),
      SdkPage.serve(new URL('./harness/sdk-react-page.ts', import.meta.url)),
    ]);
  });
  afterAll(async () => {
    await browser.close();
    await Promise.all([server.stop(), app.close(), reactApp.close()]);
  });

  /** A page (again) with a client for this person on this booking. */
  const open = async (page: Page, token: string, id: string): Promise<Page> => {
    await page.goto(app.url);
    await page.waitForFunction(() => 'start' in globalThis);
    await page.evaluate(([url, jwt, bookingId]) => globalThis.start(url, jwt, bookingId), [
      server.url,
      token,
      id,
    ] as const);
    return page;
  };

  const say = (page: Page, ...texts: string[]): Promise<void> =>
    page.evaluate((all) => {
      for (const text of all) void globalThis.booking.send({ text });
    }, texts);

  const shown = (page: Page): Promise<string[]> =>
    page.evaluate(() =>
      globalThis.booking.messages.map(({ body, state }) => `${(body as { text: string }).text} ${state}`),
    );

  const log = async (id: string): Promise<string[]> => {
    const { body } = await server.rest<{ data: { body: { text: string } }[] }>(
      'GET',
      `/v1/bookings/${id}/messages?after_seq=0&limit=200`,
    );
    return body.data.map((message) => message.body.text);
  };

  const together = async (): Promise<{ id: string; token: string; context: BrowserContext }> => {
    const id = await server.booking();
    return {
      id,
      token: await server.token('customer', `${id}-customer`),
      context: await browser.newContext(),
    };
  };

  test('said offline, reloaded, back online: sent exactly once, in order', async () => {
    const { id, token, context } = await together();
    const page = await open(await context.newPage(), token, id);
    await say(page, 'before');
    await until('it is stored', async () => (await shown(page))[0] === 'before stored');
    await server.kill();
    await say(page, 'one', 'two', 'three');
    await until('they are on the disk', async () => (await kept(page)) === 3);
    expect(await shown(page)).toEqual(['before stored', 'one queued', 'two queued', 'three queued']);

    await open(page, token, id);
    await until('they are shown again', async () => (await shown(page)).length === 3);
    expect(await shown(page)).toEqual(['one queued', 'two queued', 'three queued']);
    await say(page, 'four');
    await server.up();
    // What was said is sent at once; what was there before comes with the catch-up, sooner or later than that.
    await until('all are stored and shown', async () => {
      const lines = await shown(page);
      return lines.length === 5 && lines.every((line) => line.endsWith('stored'));
    });
    expect(await shown(page)).toEqual(
      ['before', 'one', 'two', 'three', 'four'].map((text) => `${text} stored`),
    );
    expect(await log(id)).toEqual(['before', 'one', 'two', 'three', 'four']);
    await until('the disk is empty', async () => (await kept(page)) === 0);
    await context.close();
  }, 60_000);

  test('two tabs have one outbox: each sees what the other queued, each message is sent once', async () => {
    const { id, token, context } = await together();
    const frames: [string[], string[]] = [[], []];
    const pages = await Promise.all([context.newPage(), context.newPage()]);
    for (const [index, page] of pages.entries()) {
      page.on('websocket', (socket) => {
        socket.on(
          'framesent',
          ({ payload }) => String(payload).includes('"message.send"') && frames[index]?.push(String(payload)),
        );
      });
    }
    const one = await open(pages[0], token, id);
    const other = await open(pages[1], token, id);
    await until('both are joined', async () =>
      (await Promise.all([one, other].map((page) => page.evaluate(() => globalThis.booking.joined)))).every(
        Boolean,
      ),
    );
    await say(one, 'a1', 'a2');
    await say(other, 'b1', 'b2');
    await until(
      'both see four',
      async () => (await shown(one)).length === 4 && (await shown(other)).length === 4,
    );
    await until('both see four ticks', async () =>
      [...(await shown(one)), ...(await shown(other))].every((line) => line.endsWith('stored')),
    );
    expect(await shown(one)).toEqual(await shown(other));
    expect((await log(id)).toSorted()).toEqual(['a1', 'a2', 'b1', 'b2']);
    expect(
      frames.toSorted((a, b) => a.length - b.length).map(({ length }) => length),
      'one sends for both',
    ).toEqual([0, 4]);
    await context.close();
  }, 60_000);

  test('when the tab that sends is closed, the other one sends what it left', async () => {
    const { id, token, context } = await together();
    const one = await open(await context.newPage(), token, id);
    await until('the first is online', () => one.evaluate(() => globalThis.booking.joined));
    const other = await open(await context.newPage(), token, id);
    await until('the second is online', () => other.evaluate(() => globalThis.booking.joined));
    await server.kill();
    await say(one, 'left 1', 'left 2');
    await until('the other tab sees them', async () => (await shown(other)).length === 2);
    await say(other, 'mine');
    await until('all are on the disk', async () => (await kept(other)) === 3);
    await one.close();
    await server.up();
    await until('all are stored', async () => (await shown(other)).every((line) => line.endsWith('stored')));
    expect(await log(id)).toEqual(['left 1', 'left 2', 'mine']);
    await until('the disk is empty', async () => (await kept(other)) === 0);
    await context.close();
  }, 60_000);

  test('the React hooks show a chat and follow it', async () => {
    const { id, token, context } = await together();
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.goto(`${reactApp.url}?${new URLSearchParams({ url: server.url, token, id }).toString()}`);
    await page.locator('h1', { hasText: `Name of ${id}-driver` }).waitFor();
    await page.locator('main[data-state=online]').waitFor();

    const driverPage = await open(await context.newPage(), await server.token('driver', `${id}-driver`), id);
    await page.locator('main[data-online=true]').waitFor();
    await say(driverPage, 'hello');
    await page.locator('li[data-state=delivered]', { hasText: 'hello' }).waitFor();
    await page.locator('main[data-unread="1"]').waitFor();
    await page.locator('#read-all').click();
    await page.locator('main[data-unread="0"]').waitFor();
    await driverPage.evaluate(() => globalThis.booking.setTyping(true));
    await page.locator('#typing', { hasText: `${id}-driver` }).waitFor();
    await page.locator('input').fill('x');
    await until('the driver sees typing', () =>
      driverPage.evaluate(() => globalThis.booking.typing.length === 1),
    );
    await page.locator('#send').click();
    await page.locator('li[data-state=delivered]', { hasText: 'from React' }).waitFor();
    await driverPage.evaluate(() => globalThis.booking.markRead());
    await page.locator('li[data-state=read]', { hasText: 'from React' }).waitFor();
    await page.locator('#read', { hasText: '2' }).waitFor();
    expect(complaints).toEqual([]);
    await context.close();
  }, 60_000);
});
