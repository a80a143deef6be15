import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { DemoPage, hasBrowser, kept, openBrowser } from './harness/browser.js';
import { TestServer } from './harness/server.js';
import { until } from './harness/until.js';

const browserIsHere = hasBrowser('the demo page in a browser');

describe.skipIf(!browserIsHere)('two phones on the demo page', { timeout: 60_000 }, () => {
  let server: TestServer;
  let browser: Browser;
  let demo: DemoPage;

  beforeAll(async () => {
    [server, browser] = await Promise.all([TestServer.start({ CURBLINE_GRACE_S: '4' }), openBrowser()]);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });
  beforeEach(async () => {
    demo = await DemoPage.open(browser, server.url);
    await demo.newBooking();
  });
  afterEach(async () => {
    expect(demo.watched.complaints).toEqual([]);
    await demo.close();
  });

  test('what one writes the other reads, and the ticks say how far it came', async () => {
    const { driver, customer } = demo;
    await driver.network(false);
    await customer.write('I am at gate 3');
    await customer.reaches('I am at gate 3', 'stored');
    expect(await driver.bubble('I am at gate 3').count()).toBe(0);

    await driver.network(true);
    await driver.bubble('I am at gate 3').waitFor();
    await customer.reaches('I am at gate 3', 'delivered');
    await customer.reaches('I am at gate 3', 'read');
    expect(await customer.bubble('I am at gate 3').locator('.meta').innerText()).toMatch(/Read$/);

    await driver.write('Two minutes');
    await customer.bubble('Two minutes').waitFor();
    await driver.reaches('Two minutes', 'read');
    const log = await server.rest<{ data: { body: { text: string }; sender: { scope: string } }[] }>(
      'GET',
      `/v1/bookings/${await demo.page.locator('main code').textContent()}/messages`,
    );
    expect(log.body.data.map(({ sender, body }) => [sender.scope, body.text])).toEqual([
      ['customer', 'I am at gate 3'],
      ['driver', 'Two minutes'],
    ]);
  });

  test('what is sent without a network waits, and arrives once, in order', async () => {
    const { driver, customer, page } = demo;
    await customer.network(false);
    await customer.root.getByText('No network · 0', { exact: false }).waitFor({ state: 'detached' });
    for (const text of ['first', 'second', 'third']) await customer.write(text);
    await customer.reaches('third', 'queued');
    await customer.root.getByText('No network · 3 messages waiting').waitFor();
    expect(await page.getByTestId('count-waiting').innerText()).toBe('3');
    await driver.write('meanwhile');
    await driver.reaches('meanwhile', 'stored');
    expect(await customer.bubble('meanwhile').count()).toBe(0);

    await customer.network(true);
    await customer.reaches('third', 'read');
    expect(await driver.bubbles.locator('p').allInnerTexts()).toEqual([
      'meanwhile',
      'first',
      'second',
      'third',
    ]);
    expect(await customer.bubbles.locator('p').allInnerTexts()).toEqual([
      'meanwhile',
      'first',
      'second',
      'third',
    ]);
    expect((await page.getByTestId('lost-duplicated').innerText()).replaceAll(/\s+/g, ' ')).toBe(
      '0 lost · 0 duplicated',
    );
    expect(await page.getByTestId('count-sent').innerText()).toBe('4');
    expect(await page.getByTestId('count-arrived').innerText()).toBe('4');
    expect(await customer.root.locator('.strip').count()).toBe(0);
  });

  test('what waited when the page was closed is sent by the next one, once', async () => {
    const { page } = demo;
    // A reload comes back to the booking that the server shows first.
    await page.reload();
    await demo.online();
    const text = `kept ${crypto.randomUUID()}`;
    await demo.customer.network(false);
    await demo.customer.write(text);
    await demo.customer.reaches(text, 'queued');
    await until('it is on the disk', async () => (await kept(page)) === 1);
    await page.reload();
    await demo.driver.bubble(text).waitFor();
    await demo.customer.reaches(text, 'read');
    expect([await demo.driver.bubble(text).count(), await demo.customer.bubble(text).count()]).toEqual([
      1, 1,
    ]);
  });

  test('a server killed in the middle costs no message and doubles none', async () => {
    const { driver, customer, page } = demo;
    await customer.write('before');
    await driver.bubble('before').waitFor();
    await server.kill();
    await customer.write('while it is down');
    await driver.write('here too');
    await customer.root.getByText('Cannot reach the server, retrying').waitFor();
    await customer.reaches('while it is down', 'queued');

    await server.up();
    await driver.bubble('while it is down').waitFor({ timeout: 30_000 });
    await customer.bubble('here too').waitFor({ timeout: 30_000 });
    await driver.reaches('here too', 'read');
    expect((await driver.bubbles.locator('p').allInnerTexts()).sort()).toEqual([
      'before',
      'here too',
      'while it is down',
    ]);
    expect(await page.getByTestId('count-arrived').innerText()).toBe('3');
    // The browser itself reports each refused connection.
    const own = demo.watched.complaints.filter((line) => !/ERR_CONNECTION_REFUSED|WebSocket/.test(line));
    demo.watched.complaints.length = 0;
    expect(own).toEqual([]);
  });

  test('each sees that the other is there, and writes', async () => {
    const { driver, customer } = demo;
    await driver.field.pressSequentially('Turning in');
    await customer.root.getByText('is typing', { exact: false }).waitFor();
    await driver.field.press('Enter');
    await customer.bubble('Turning in').waitFor();
    await customer.root.getByText('is typing').waitFor({ state: 'detached' });
    await driver.network(false);
    await customer.root.getByText('last seen', { exact: false }).waitFor({ timeout: 15_000 });
    expect(await driver.root.locator('.presence').innerText()).toBe('No network');
  });

  test('a quick reply is read in the language of its reader', async () => {
    const { driver, customer, page } = demo;
    await customer.root.getByRole('combobox').selectOption('hi');
    await driver.tap('arriving_in');
    await customer.bubble('2 मिनट में पहुँच रहा हूँ').waitFor();
    await driver.bubble('Arriving in 2 min').waitFor();
    expect(await customer.bubble('2 मिनट').locator('bdi').first().innerText()).toBe('Arjun S.');
    await customer.root.getByRole('combobox').selectOption('ar');
    await customer.bubble('سأصل خلال 2 دقيقة').waitFor();
    expect(await page.locator('[data-phone=customer] [dir=rtl][lang=ar]').count()).toBe(1);
    expect(await page.locator('html').getAttribute('dir')).toBe('ltr');
  });

  test('a shared place is a pin with a name on the other phone', async () => {
    const { driver, customer } = demo;
    await customer.root.getByRole('button', { name: 'My location' }).click();
    const sheet = customer.root.getByRole('dialog', { name: 'Share a location' });
    await sheet.getByLabel('Name of the place').fill('Gate 3, coffee stand');
    await sheet.getByRole('button', { name: 'Send location' }).click();
    await sheet.waitFor({ state: 'detached' });
    await driver.bubble('Gate 3, coffee stand').getByText('28.5483, 77.2513').waitFor();
    await customer.reaches('Gate 3, coffee stand', 'read');
    expect(await customer.bubbles.count()).toBe(1);
  });

  test('a device that does not say where it is leaves the other choice', async () => {
    const { customer } = demo;
    await customer.root.getByRole('button', { name: 'My location' }).click();
    const sheet = customer.root.getByRole('dialog', { name: 'Share a location' });
    await sheet.getByText('Where this device is').click();
    await sheet.getByRole('button', { name: 'Send location' }).click();
    await sheet.getByText('This device does not say where it is', { exact: false }).waitFor();
    await demo.page.keyboard.press('Escape');
    await sheet.waitFor({ state: 'detached' });
    expect(await customer.bubbles.count()).toBe(0);
  });

  test('the trip moves on both phones, and the chat says how long it stays open', async () => {
    const { driver, customer, page } = demo;
    await page.getByRole('button', { name: 'On the way' }).click();
    await driver.root.getByText('On the way').waitFor();
    await customer.root.locator('.trip', { hasText: 'On the way' }).waitFor();
    await page.getByRole('button', { name: 'Completed' }).click();
    const open = [driver, customer].map(({ root }) =>
      root.getByText('Chat stays open until', { exact: false }).waitFor(),
    );
    await Promise.all([...open, customer.field.isEnabled()]);
    await driver.root.getByText('You can read this chat', { exact: false }).waitFor();
    await customer.root.getByText('You can read this chat', { exact: false }).waitFor();
    expect([await driver.field.count(), await customer.field.count()]).toEqual([0, 0]);
  });

  test('what comes too late says why, and can be sent again when the chat is open again', async () => {
    const { driver, customer, page } = demo;
    await customer.network(false);
    await customer.write('Too late');
    await page.getByRole('button', { name: 'Completed' }).click();
    await driver.root.getByText('You can read this chat', { exact: false }).waitFor();
    await customer.network(true);
    await customer.bubble('Too late').getByText('The chat was closed before this was sent').waitFor();
    await page.getByRole('button', { name: 'In trip' }).click();
    await customer.field.waitFor();
    await customer.bubble('Too late').getByRole('button', { name: 'Send again' }).click();
    await driver.bubble('Too late').waitFor();
    await customer.reaches('Too late', 'read');
    expect(await customer.bubble('Too late').count()).toBe(1);
  });

  test('the focus stays in the field, and one voice says what is new', async () => {
    const { driver, customer, page } = demo;
    await driver.write('one');
    await customer.bubble('one').waitFor();
    await page.getByTestId('announcer').getByText('says one', { exact: false }).waitFor();
    expect(await driver.field.evaluate((field) => field === document.activeElement)).toBe(true);
    await driver.field.fill('two');
    await driver.root.getByRole('button', { name: 'Send' }).click();
    await customer.bubble('two').waitFor();
    expect(await driver.field.evaluate((field) => field === document.activeElement)).toBe(true);

    // History is silent: after a reload the same messages stand there, and nothing was said.
    const id = await page.locator('main code').textContent();
    expect(id).toMatch(/^BK-/);
    const lives = await page
      .locator('[role=log]')
      .evaluateAll((logs) => logs.map((log) => log.getAttribute('aria-live')));
    expect(lives).toEqual(['off', 'off']);
    expect(await page.locator('[role=log] > ol').count()).toBe(2);
  });
});
