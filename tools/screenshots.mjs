// Makes the pictures of the README from a real run: starts the built server on a folder of its own, plays a short
// conversation on the demo page in headless Chromium, and writes docs/images/demo-light.png and demo-dark.png.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { chromium } = createRequire(join(root, 'tests/package.json'))('playwright-core');
const images = join(root, 'docs/images');
const browserPath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const flags = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'];
const quiet = ['--disable-background-networking', '--disable-component-update', '--disable-sync'];
const READY_LIMIT_MS = 90_000;

const dataDir = mkdtempSync(join(tmpdir(), 'curbline-pictures-'));
// As root the database runs as another user, who must be able to pass through.
chmodSync(dataDir, 0o755);
const server = spawn(process.execPath, [join(root, 'apps/standalone/dist/main.js')], {
  env: { PATH: process.env.PATH, CURBLINE_DATA_DIR: dataDir, CURBLINE_PORT: '0' },
  stdio: ['ignore', 'pipe', 'inherit'],
});
const ended = once(server, 'exit');
let browser;
try {
  const url = await readyUrl();
  browser = await chromium.launch({ executablePath: browserPath, args: [...flags, ...quiet] });
  mkdirSync(images, { recursive: true });
  await talk(url);
} finally {
  await browser?.close();
  server.kill('SIGTERM');
  await ended;
  rmSync(dataDir, { recursive: true, force: true });
}

function readyUrl() {
  return new Promise((resolve, reject) => {
    let output = '';
    const late = setTimeout(() => reject(new Error(`The server is not ready:\n${output}`)), READY_LIMIT_MS);
    server.stdout.on('data', (chunk) => {
      output += chunk;
      const url = /ready at (\S+)/.exec(output)?.[1];
      if (url === undefined) return;
      clearTimeout(late);
      resolve(url);
    });
    server.once('exit', (code) => reject(new Error(`The server ended with ${code}:\n${output}`)));
  });
}

async function talk(url) {
  const context = await browser.newContext({
    viewport: { width: 1440, height: 900 },
    deviceScaleFactor: 1.5,
    colorScheme: 'light',
    locale: 'en-US',
  });
  await context.addInitScript(() => localStorage.setItem('curbline.language.driver', 'hi'));
  const page = await context.newPage();
  await page.goto(`${url}/demo/`);
  const driver = page.locator('[data-phone=driver]');
  const customer = page.locator('[data-phone=customer]');
  const read = (phone, text) => phone.locator('li.bubble[data-state=read]', { hasText: text }).waitFor();
  const write = async (text) => {
    await customer.locator('textarea').fill(text);
    await customer.locator('textarea').press('Enter');
  };
  await driver.locator('.presence[data-online=true]').waitFor();
  await customer.locator('.presence[data-online=true]').waitFor();

  await page.getByRole('button', { name: 'On the way' }).click();
  await driver.locator('[data-key=on_my_way]').click();
  await customer.locator('li.bubble', { hasText: 'On my way' }).waitFor();
  await customer.getByRole('button', { name: 'My location' }).click();
  await customer.getByLabel('Name of the place').fill('Gate 3, coffee stand');
  await customer.getByRole('button', { name: 'Send location' }).click();
  await read(customer, 'Gate 3, coffee stand');
  await write('I am at Gate 3, near the coffee stand');
  await read(customer, 'near the coffee stand');
  await driver.locator('[data-key=arriving_in]').click();
  await read(driver, '2 मिनट');
  await customer.getByRole('radio', { name: 'Off' }).click();
  await write('Blue jacket, one suitcase');
  await customer.getByText('1 message waiting').waitFor();
  // The server tells the driver when the customer's presence has timed out.
  await driver.locator('.presence[data-online=false]').waitFor();

  for (const scheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme: scheme });
    await page.mouse.move(0, 0);
    await page.evaluate(() => {
      document.activeElement?.blur();
      return new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 600)));
    });
    await page.screenshot({ path: join(images, `demo-${scheme}.png`) });
    process.stdout.write(`docs/images/demo-${scheme}.png\n`);
  }
}
