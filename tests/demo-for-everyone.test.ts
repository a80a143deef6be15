import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DemoPage, hasBrowser, openBrowser, type DemoOptions } from './harness/browser.js';
import { TestServer } from './harness/server.js';

const NARROW = { width: 390, height: 844 };
const browserIsHere = hasBrowser('the demo page for all readers: axe, languages, narrow screens');

describe.skipIf(!browserIsHere)('the demo page', { timeout: 90_000 }, () => {
  let server: TestServer;
  let browser: Browser;

  beforeAll(async () => {
    [server, browser] = await Promise.all([TestServer.start(), openBrowser()]);
    const first = await DemoPage.open(browser, server.url);
    await first.online();
    await fill(first);
    await first.close();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  /** One of each: canned, text, pin; read ones, and one that waits. */
  async function fill({ driver, customer }: DemoPage): Promise<void> {
    await driver.tap('arriving_in');
    await customer.write('I am at Gate 3, near the coffee stand');
    await customer.root.locator('.composer button[data-kind=plain]').click();
    await customer.root.locator('.sheet input[type=text]').fill('Gate 3');
    await customer.root.locator('.sheet button[type=submit]').click();
    await driver.bubble('Gate 3').last().waitFor();
    await customer.reaches('Gate 3, near', 'read');
  }

  const looks: [string, DemoOptions][] = [
    ['light', {}],
    ['dark', { theme: 'dark' }],
    ['light, right to left', { page: 'ar', driver: 'hi', customer: 'ar' }],
    ['dark, right to left', { theme: 'dark', page: 'ar', driver: 'ar', customer: 'es' }],
    ['light, narrow', { size: NARROW }],
    [
      'dark, narrow, right to left',
      { theme: 'dark', size: NARROW, page: 'ar', driver: 'ar', customer: 'ar' },
    ],
  ];
  test.each(looks)('axe finds nothing: %s', async (_, options) => {
    const demo = await DemoPage.open(browser, server.url, options);
    await demo.online();
    await demo.driver.bubbles.first().waitFor({ state: 'attached' });
    expect(await demo.axe()).toEqual([]);
    expect(demo.watched.complaints).toEqual([]);
    await demo.close();
  });

  test.each([looks[0], looks.at(-1)].filter((look) => look !== undefined))(
    'axe finds nothing while words wait and a sheet is open: %s',
    async (_, options) => {
      const demo = await DemoPage.open(browser, server.url, options);
      await demo.online();
      if (options.size !== undefined) await demo.page.locator('main [role=radio]').nth(1).click();
      await demo.customer.network(false);
      await demo.customer.write('waiting');
      await demo.customer.reaches('waiting', 'queued');
      await demo.customer.root.locator('.composer button[data-kind=plain]').click();
      await demo.customer.root.locator('.sheet').waitFor();
      await settled(demo);
      expect(await demo.axe()).toEqual([]);
      expect(demo.watched.complaints).toEqual([]);
      await demo.close();
    },
  );

  const settled = (demo: DemoPage) =>
    demo.page.waitForFunction(() =>
      document
        .getAnimations()
        .every(
          (motion) => motion.playState !== 'running' || motion.effect?.getTiming().iterations === Infinity,
        ),
    );

  test('nothing is asked of another origin, and the content policy stands', async () => {
    const demo = await DemoPage.open(browser, server.url);
    await demo.newBooking();
    await fill(demo);
    const origins = new Set(demo.watched.addresses.map((address) => new URL(address).host));
    expect([...origins]).toEqual([new URL(server.url).host]);
    expect(
      demo.watched.addresses.filter((address) => address.startsWith('ws')).length,
    ).toBeGreaterThanOrEqual(2);
    expect(demo.watched.complaints).toEqual([]);

    const answer = await fetch(`${server.url}/demo/`);
    const policy = answer.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'self'");
    expect(policy).not.toContain('unsafe');
    await demo.page.evaluate(() => {
      const script = document.createElement('script');
      script.textContent = 'window.ranInline = true';
      document.head.append(script);
    });
    expect(await demo.page.evaluate(() => 'ranInline' in globalThis)).toBe(false);
    await demo.close();
  });

  test.each([
    ['wide', {}],
    ['narrow', { size: NARROW }],
  ])('in the pseudo-locale every string is translated and none is cut: %s', async (_, options) => {
    const demo = await DemoPage.open(browser, server.url, {
      ...options,
      page: 'en-XA',
      driver: 'en-XA',
      customer: 'en-XA',
    });
    await demo.online();
    await demo.driver.bubbles.first().waitFor({ state: 'attached' });
    const strings = await demo.page.evaluate(readStrings);
    expect(strings.length).toBeGreaterThan(30);
    // A string of the locale stands in brackets; digits, drawings and punctuation need no translation.
    const outside = strings
      .map((text) => text.replaceAll(/\[[^\]]*\]/g, ''))
      .filter((rest) => /\p{L}/u.test(rest));
    expect(outside).toEqual([]);
    expect(await demo.page.evaluate(findClipped)).toEqual([]);
    await demo.close();
  });

  test.each([['es'], ['ar'], ['hi']])('no words are cut in %s', async (tag) => {
    const demo = await DemoPage.open(browser, server.url, { page: tag, driver: tag, customer: tag });
    await demo.online();
    expect(await demo.page.evaluate(findClipped)).toEqual([]);
    await demo.close();
  });

  test('everything that is tapped is large enough: 44 px, and 76 px for the driver', async () => {
    for (const size of [undefined, NARROW]) {
      const demo = await DemoPage.open(browser, server.url, size === undefined ? {} : { size });
      await demo.online();
      const small = await demo.page.evaluate(() =>
        [...document.querySelectorAll<HTMLElement>('button, select, textarea')]
          .filter((target) => target.checkVisibility())
          .map((target) => ({ target, box: target.getBoundingClientRect() }))
          .filter(
            ({ target, box }) => box.width < 44 || box.height < (target.closest('.quick') === null ? 44 : 76),
          )
          .map(({ target, box }) => `${target.outerHTML.slice(0, 80)} ${box.width}×${box.height}`),
      );
      expect(small).toEqual([]);
      await demo.close();
    }
  });

  test('a narrow screen shows one phone; the other stays on, and what it gets is not read yet', async () => {
    const demo = await DemoPage.open(browser, server.url, { size: NARROW });
    const { driver, customer, page } = demo;
    await demo.newBooking();
    expect([await driver.root.isVisible(), await customer.root.isVisible()]).toEqual([true, false]);
    await driver.write('On the ramp');
    await driver.reaches('On the ramp', 'delivered');
    await page.locator('main').getByText('1 not read').waitFor({ state: 'attached' });
    await page.getByRole('radiogroup', { name: 'Which phone to show' }).getByRole('radio').nth(1).click();
    expect([await driver.root.isVisible(), await customer.root.isVisible()]).toEqual([false, true]);
    await customer.bubble('On the ramp').waitFor();
    await driver.root.locator('li.bubble[data-state=read]').waitFor({ state: 'attached' });
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
    await demo.close();
  });

  test('the whole page works by keyboard', async () => {
    const demo = await DemoPage.open(browser, server.url);
    const { page, driver, customer } = demo;
    await demo.newBooking();
    const seen: string[] = [];
    await page.locator('body').press('Tab');
    for (let step = 0; step < 60; step += 1) {
      const name = await page.evaluate(() => {
        const { activeElement: at } = document;
        const phone = at?.closest<HTMLElement>('[data-phone]')?.dataset['phone'] ?? 'page';
        return `${phone} ${at?.getAttribute('role') ?? at?.tagName.toLowerCase() ?? ''}`;
      });
      if (name === 'page body') break;
      seen.push(name);
      await page.keyboard.press('Tab');
    }
    for (const stop of [
      'driver log',
      'driver textarea',
      'driver radio',
      'driver select',
      'customer log',
      'customer textarea',
    ]) {
      expect(seen).toContain(stop);
    }
    await driver.root.locator('button[data-key=on_my_way]').focus();
    await page.keyboard.press('Enter');
    await customer.bubble('On my way').waitFor();
    await customer.root.getByRole('radio', { name: '4G' }).focus();
    // A key is down for a while when a person presses it.
    await page.keyboard.press('ArrowRight', { delay: 80 });
    await customer.root.getByRole('radio', { name: 'Off', checked: true }).waitFor();
    await demo.close();
  });

  test('the chosen theme is remembered', async () => {
    const demo = await DemoPage.open(browser, server.url);
    await demo.page.getByRole('button', { name: 'Use dark colours' }).click();
    await demo.page.reload();
    await demo.page.getByRole('button', { name: 'Use light colours' }).waitFor();
    expect(await demo.page.evaluate(() => getComputedStyle(document.documentElement).colorScheme)).toBe(
      'dark',
    );
    await demo.close();
  });

  test('without a server the page says so and goes on by itself; where there is no demo it explains', async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.route('**/demo/session', (route) => route.abort());
    await page.goto(`${server.url}/demo/`);
    await page.getByRole('heading', { name: 'Cannot reach the server, retrying' }).waitFor();
    await page.unroute('**/demo/session');
    await page.locator('[data-phone=driver] [role=log]').waitFor();

    await page.route('**/demo/session', (route) => route.fulfill({ status: 404, json: {} }));
    await page.reload();
    await page.getByRole('heading', { name: 'The demo is switched off here' }).waitFor();
    expect(await page.locator('.phone').count()).toBe(0);
    await context.close();
  });
});

/** Every string that a reader sees or hears, except names, words of people, and the languages' own names. */
function readStrings(): string[] {
  const strings: string[] = [];
  const foreign = '[translate=no], time, option, script, style';
  const visit = (element: Element): void => {
    if (element.matches(foreign)) return;
    for (const name of ['aria-label', 'placeholder', 'title', 'alt']) {
      // What is isolated is a name.
      const value = element.getAttribute(name);
      if (value !== null) strings.push(value.replaceAll(/\u2068.*?\u2069/g, ''));
    }
    const isText = [...element.childNodes].some(
      (node) => node.nodeType === Node.TEXT_NODE && node.textContent?.trim() !== '',
    );
    if (!isText) return [...element.children].forEach(visit);
    const copy = element.cloneNode(true) as Element;
    for (const inner of copy.querySelectorAll(foreign)) inner.remove();
    strings.push(copy.textContent.replaceAll(/\u2068.*?\u2069|\d+:\d+\s[AP]M/g, ''));
  };
  visit(document.body);
  return strings;
}

/** Elements whose words do not fit into them. */
function findClipped(): string[] {
  return (
    [...document.querySelectorAll<HTMLElement>('body *')]
      .filter(
        (element) =>
          element.checkVisibility() && element.closest('.sr-only, .log, .replies, nav, svg') === null,
      )
      // A name may be shortened; it is not ours.
      .filter(
        (element) => element.getAttribute('translate') !== 'no' && element.closest('[translate=no]') === null,
      )
      .filter((element) => {
        const { overflowX, overflowY } = getComputedStyle(element);
        const wide = element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 0;
        const high =
          element.scrollHeight > element.clientHeight + 1 &&
          element.clientHeight > 0 &&
          overflowY !== 'visible';
        return (wide && (overflowX !== 'visible' || element.children.length === 0)) || high;
      })
      .map(
        (element) =>
          `${element.outerHTML.slice(0, 120)} ${element.scrollWidth}/${element.clientWidth} ${element.scrollHeight}/${element.clientHeight}`,
      )
  );
}
