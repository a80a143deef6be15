// Writes the table of settings in docs/operating.md from the contract. With --check it only compares.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { planned, settings } from '@curbline/contract';

const file = fileURLToPath(new URL('../docs/operating.md', import.meta.url));
const [begin, end] = ['<!-- settings: npm run docs:settings -->', '<!-- end of settings -->'];

const code = (text) => `\`${text}\``;

/** A default that is a value is code; one that is a sentence, such as "generated …", is not. */
const shown = (value) => {
  if (value === null) return 'none';
  return value.includes(' ') ? value : code(value);
};

function defaultOf({ default: fallback, productionDefault }) {
  if (productionDefault === undefined) return shown(fallback);
  const production = productionDefault === null ? 'none' : shown(productionDefault);
  return `${shown(fallback)}; production: ${production}`;
}

function table() {
  const rows = Object.entries(settings).map(([name, setting]) => {
    const later = planned.settings.includes(name) ? ' _(planned)_' : '';
    return `| ${code(name)}${later} | ${defaultOf(setting)} | ${setting.description} | ${setting.shape} |`;
  });
  return ['| name | default | what | value |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

/** The formatter pads the cells of a table: only the words count. */
const words = (text) =>
  text
    .replaceAll(/-{2,}/g, '---')
    .replaceAll(/[ \t]+/g, ' ')
    .trim();

const page = readFileSync(file, 'utf8');
const [from, to] = [page.indexOf(begin), page.indexOf(end)];
if (from < 0 || to < from) throw new Error(`docs/operating.md has lost its markers ${begin} and ${end}`);
const kept = page.slice(from + begin.length, to);
if (words(kept) === words(table())) {
  console.log('the settings in docs/operating.md are current');
} else if (process.argv[2] === '--check') {
  console.log('the settings in docs/operating.md are not what the contract says: npm run docs:settings');
  process.exitCode = 1;
} else {
  writeFileSync(file, `${page.slice(0, from + begin.length)}\n\n${table()}\n\n${page.slice(to)}`);
  console.log('wrote the settings in docs/operating.md');
}
