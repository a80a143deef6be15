import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { leaveOut } from './harness/left-out.js';
import { ROOT } from './harness/program.js';
import { pythonSocketio } from './harness/reachable.js';
import { TestServer } from './harness/server.js';

/** A block that says ```sh run (or js, ts, python) is what a reader pastes: here it is pasted. */
interface Block {
  language: string;
  line: number;
  code: string;
  /** The `text` block right after it, if any: what the page says it prints, with … for what differs. */
  prints: string | undefined;
}

const LANGUAGES = ['sh', 'js', 'ts', 'python'];
const BLOCK = /^```(\w+) run\n([\s\S]*?)^```\n(?:\n```text\n([\s\S]*?)^```\n)?/gm;

const pages = ['README.md', ...markdownBelow('docs')].map((page) => ({ page, blocks: blocksOf(page) }));
const out = join(ROOT, 'tests/.out/docs-run');
const python = pythonSocketio();

function markdownBelow(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.md'))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
    .sort();
}

function blocksOf(page: string): Block[] {
  const text = readFileSync(join(ROOT, page), 'utf8');
  return [...text.matchAll(BLOCK)].map(({ index, 1: language = '', 2: code = '', 3: prints }) => {
    return { language, code, prints, line: text.slice(0, index).split('\n').length };
  });
}

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
});
afterAll(() => server.stop());

/** The reader's server is on the default port and in the default folder; this one is not. */
const here = (code: string): string =>
  code
    .replaceAll(/http:\/\/(?:localhost|127\.0\.0\.1):5000/g, server.url)
    .replaceAll(/(?<![\w/.])(?:\.\/)?\.curbline\/dev-keys\.json/g, join(server.dataDir, 'dev-keys.json'));

/** Blocks of a page follow each other in one terminal: variables of a shell block are there in the next one. */
function run(block: Block, name: string) {
  const file = join(
    out,
    `${name}.${{ sh: 'sh', js: 'mjs', ts: 'ts', python: 'py' }[block.language] ?? 'txt'}`,
  );
  const variables = join(out, `${name.replace(/-\d+$/, '')}.variables`);
  const code = here(block.code);
  const [command, args]: [string, string[]] =
    block.language === 'sh'
      ? ['bash', ['-eo', 'pipefail', file]]
      : block.language === 'python'
        ? [python ?? 'python3', [file]]
        : ['node', [file]];
  const shell = `[ -e '${variables}' ] && . '${variables}'\nset -a\n${code}\nset +a\nexport -p > '${variables}'\n`;
  writeFileSync(file, block.language === 'sh' ? shell : code);
  return spawnSync(command, args, { cwd: ROOT, encoding: 'utf8', timeout: 25_000 });
}

/** Every line of the page's text appears in this order; … stands for anything. */
function printed(prints: string): RegExp {
  const escaped = prints.trim().replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(escaped.replaceAll('…', '.*?').replaceAll(/\s*\n\s*/g, String.raw`\s[\s\S]*?`));
}

for (const { page, blocks } of pages.filter((one) => one.blocks.length > 0)) {
  describe(page, () => {
    const needsPython = blocks.some((block) => block.language === 'python');
    if (needsPython && python === undefined)
      leaveOut(`the Python of ${page}`, 'python3-socketio is not installed');
    for (const [index, block] of blocks.entries()) {
      const skipped = block.language === 'python' && python === undefined;
      test.skipIf(skipped)(`the ${block.language} block of line ${block.line} works as pasted`, () => {
        const name = `${page.replaceAll(/[^\w]+/g, '-').toLowerCase()}-${index + 1}`;
        const { status, stdout, stderr } = run(block, name);
        expect(status, stdout + stderr).toBe(0);
        if (block.prints !== undefined) expect(stdout).toMatch(printed(block.prints));
      });
    }
  });
}

test('every block that is marked as run is in a language that can be run, and the README has some', () => {
  const strange = pages.flatMap(({ page, blocks }) =>
    blocks.filter(({ language }) => !LANGUAGES.includes(language)).map(({ line }) => `${page}:${line}`),
  );
  expect(strange).toEqual([]);
  const marked = pages.reduce(
    (sum, { page }) => sum + (readFileSync(join(ROOT, page), 'utf8').match(/^```\w+ run$/gm)?.length ?? 0),
    0,
  );
  expect(pages.reduce((sum, { blocks }) => sum + blocks.length, 0)).toBe(marked);
  const readme = pages.find(({ page }) => page === 'README.md');
  expect(readme?.blocks.length ?? 0).toBeGreaterThanOrEqual(3);
});

test('the TypeScript of the pages compiles', () => {
  const files = readdirSync(out).filter((file) => file.endsWith('.ts'));
  expect(files.length).toBeGreaterThan(0);
  const strict = [
    '--noEmit',
    '--ignoreConfig',
    '--strict',
    '--skipLibCheck',
    '--target',
    'es2024',
    '--module',
    'nodenext',
  ];
  const checked = spawnSync('tsc', [...strict, '--types', 'node', ...files], { cwd: out, encoding: 'utf8' });
  expect(checked.stdout + checked.stderr).toBe('');
});

test('every link of a page leads to a file of the repository', () => {
  const broken = [...pages.map(({ page }) => page), 'CHANGELOG.md'].flatMap((page) => {
    const text = readFileSync(join(ROOT, page), 'utf8').replaceAll(/^```[\s\S]*?^```/gm, '');
    const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(
      ([, target = '']) => target.split('#')[0] ?? '',
    );
    return targets
      .filter((target) => target !== '' && !/^[a-z]+:/.test(target))
      .filter((target) => !existsSync(join(ROOT, page, '..', target)))
      .map((target) => `${page}: ${target}`);
  });
  expect(broken).toEqual([]);
});

test('every page is linked from an index of its folder or above', () => {
  const index = ['docs/README.md', 'docs/decisions/README.md'].map((page) => {
    const text = readFileSync(join(ROOT, page), 'utf8');
    return [...text.matchAll(/\]\(([^)\s#]+)/g)].map(([, target = '']) => join(page, '..', target));
  });
  const linked = new Set(index.flat());
  const lost = pages
    .map(({ page }) => page)
    .filter((page) => page.startsWith('docs/') && page !== 'docs/README.md');
  expect(lost.filter((page) => !linked.has(page))).toEqual([]);
});
