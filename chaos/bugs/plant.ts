// `node --import chaos/bugs/plant.ts`: plants the bug named by CHAOS_BUG into the built files while they are loaded.
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../rig/paths.ts';
import { bugs } from './list.ts';

const bug = bugs.find(({ name }) => name === process.env['CHAOS_BUG']);
if (bug === undefined) throw new Error(`there is no bug ${process.env['CHAOS_BUG']}`);
const patches = (bug.patches ?? []).map((patch) => ({
  ...patch,
  url: pathToFileURL(join(ROOT, patch.file)).href,
}));

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    const mine = patches.filter((patch) => patch.url === url);
    if (mine.length === 0) return loaded;
    const { source: code = '' } = loaded;
    let source = typeof code === 'string' ? code : Buffer.from(code as Uint8Array).toString();
    for (const { find, put, file } of mine) {
      const next = source.replace(find, put);
      if (next === source) throw new Error(`the bug ${bug.name} does not fit ${file} any more`);
      source = next;
    }
    return { ...loaded, source };
  },
});
