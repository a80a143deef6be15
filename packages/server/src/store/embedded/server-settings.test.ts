import { describe, expect, test } from 'vitest';
import { fitsSocketPath } from './placement.js';
import { commandLineSettings, initdbArguments, serverSettings } from './server-settings.js';

describe('settings', () => {
  test('that only newer versions know are left out for older ones, which would not start', () => {
    expect(serverSettings(18)).toContain("io_method = 'sync'");
    expect(serverSettings(17)).not.toContain('io_method');
    expect(initdbArguments('/c', 'curbline', 17)).toContain('--locale-provider=builtin');
    expect(initdbArguments('/c', 'curbline', 16)).not.toContain('--locale-provider=builtin');
  });

  test('quote a socket folder, since PostgreSQL reads a list of them', () => {
    expect(commandLineSettings('/srv/a, "b"/run', 5432)).toContain(
      'unix_socket_directories="/srv/a, ""b""/run"',
    );
  });

  test('close TCP and keep fsync where no configuration file can say otherwise', () => {
    expect(commandLineSettings('/run', 5432)).toEqual(
      expect.arrayContaining(['listen_addresses=', 'fsync=on', 'full_page_writes=on']),
    );
  });
});

describe('a socket folder', () => {
  test('fits as long as the path of the socket in it does, in bytes', () => {
    const limit = (process.platform === 'darwin' ? 103 : 107) - '/.s.PGSQL.5432'.length;
    expect(fitsSocketPath(`/${'a'.repeat(limit - 1)}`)).toBe(true);
    expect(fitsSocketPath(`/${'a'.repeat(limit)}`)).toBe(false);
    expect(fitsSocketPath(`/${'ä'.repeat(limit / 2 + 1)}`)).toBe(false);
  });
});
