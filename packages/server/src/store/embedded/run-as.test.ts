import { describe, expect, test } from 'vitest';
import { chooseRunAs, hasPermission, type RunAs } from './run-as.js';

const passwd = [
  'root:x:0:0::/root:/bin/sh',
  '# comment',
  'app:x:1000:1001::/srv:/bin/sh',
  'nobody:*:-2:-2::/:/bin/false',
  '',
].join('\n');
const app: RunAs = { uid: 1000, gid: 1001, name: 'app', switched: true };

describe.runIf(process.geteuid?.() === 0)('as root', () => {
  test('the owner of the data folder runs PostgreSQL', () => {
    expect(chooseRunAs({ uid: 1000, gid: 5 }, passwd)).toEqual(app);
  });

  test('nobody stands in for root, with the unsigned id that system calls want', () => {
    const expected = { uid: 4_294_967_294, gid: 4_294_967_294, name: 'nobody', switched: true };
    expect(chooseRunAs({ uid: 0, gid: 0 }, passwd)).toEqual(expected);
  });

  test('nobody stands in for an owner without a name, as whom initdb refuses to run', () => {
    expect(chooseRunAs({ uid: 4711, gid: 4711 }, passwd).name).toBe('nobody');
  });

  test('nobody has the usual id where no user is known', () => {
    expect(chooseRunAs({ uid: 0, gid: 0 }, '')).toMatchObject({ uid: 65_534, gid: 65_534 });
  });
});

describe.runIf(process.geteuid?.() !== 0)('as an ordinary user', () => {
  test('we run PostgreSQL, whoever owns the folder', () => {
    expect(chooseRunAs({ uid: 0, gid: 0 }, passwd)).toMatchObject({
      uid: process.geteuid?.(),
      switched: false,
    });
  });
});

describe('a permission', () => {
  test('of the owner counts alone, even when others have more', () => {
    expect(hasPermission({ uid: 1000, gid: 0, mode: 0o700 }, app, 0o1)).toBe(true);
    expect(hasPermission({ uid: 1000, gid: 0, mode: 0o077 }, app, 0o1)).toBe(false);
  });

  test('of the group comes before that of others', () => {
    expect(hasPermission({ uid: 0, gid: 1001, mode: 0o710 }, app, 0o1)).toBe(true);
    expect(hasPermission({ uid: 0, gid: 1001, mode: 0o701 }, app, 0o1)).toBe(false);
  });

  test('of others is that of strangers', () => {
    expect(hasPermission({ uid: 0, gid: 0, mode: 0o711 }, app, 0o1)).toBe(true);
    expect(hasPermission({ uid: 0, gid: 0, mode: 0o770 }, app, 0o1)).toBe(false);
    expect(hasPermission({ uid: 0, gid: 0, mode: 0o705 }, app, 0o5)).toBe(true);
    expect(hasPermission({ uid: 0, gid: 0, mode: 0o754 }, app, 0o5)).toBe(false);
  });
});
