/**
 * PostgreSQL's settings, sized for a small machine: they live in `curbline.conf`, which postgresql.conf includes
 * last, so `ALTER SYSTEM` (postgresql.auto.conf) still overrides them.
 */
export function serverSettings(major: number): string {
  const settings: Record<string, string | number> = {
    // Durability is the reason for a real PostgreSQL: said aloud although these are its defaults.
    fsync: 'on',
    synchronous_commit: 'on',
    full_page_writes: 'on',
    wal_level: 'minimal',
    max_wal_senders: 0,
    // Bounds crash recovery to a few seconds, and the disk that the log takes. Its files are kept for the next rush: making one, 16 MiB of zeros,
    // holds up everybody's messages for some 60 ms.
    max_wal_size: '512MB',
    min_wal_size: '512MB',
    // After a checkpoint each page that is touched goes to the log as a whole. Compressing some hundreds of them one after
    // the other (pglz, the only method in the package) held up everybody's messages for 60 ms.
    wal_compression: 'off',
    // Else the kernel writes what was put out of the buffer all at once, half a minute later, while commits wait.
    backend_flush_after: '256kB',
    checkpoint_timeout: '5min',
    // Few enough to stay small.
    max_connections: 60,
    // A table grows by pages of zeros, which are the kernel's to write until the buffer puts out what they hold: of a larger buffer it writes
    // more of them at once, while commits wait. A smaller one does not hold the ends of the indexes of two thousand bookings.
    shared_buffers: '36MB',
    work_mem: '4MB',
    maintenance_work_mem: '32MB',
    jit: 'off',
    max_parallel_workers_per_gather: 0,
    max_parallel_maintenance_workers: 0,
    max_logical_replication_workers: 0,
    max_worker_processes: 4,
    autovacuum: 'on',
    autovacuum_max_workers: 2,
    // A backend whose client was killed gives its locks back within a second.
    client_connection_check_interval: '1s',
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_destination: 'stderr',
    logging_collector: 'off',
    log_line_prefix: '%m [%p] ',
    // Messages of people must not reach the log: neither the statement nor the row of an error is written.
    log_min_error_statement: 'panic',
    log_error_verbosity: 'terse',
    log_checkpoints: 'off',
    // One process for each of three I/O workers is too many for a small machine.
    ...(major >= 18 ? { io_method: 'sync' } : {}),
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = '${value}'`);
  return `# Written by Curbline at each start. Settings of your own: ALTER SYSTEM SET ...\n${lines.join('\n')}\n`;
}

/** What nothing may override: no TCP, one private socket, and nothing that trades safety for speed. */
export function commandLineSettings(socketDir: string, port: number): string[] {
  const settings: Record<string, string | number> = {
    listen_addresses: '',
    unix_socket_directories: `"${socketDir.replaceAll('"', '""')}"`,
    unix_socket_permissions: '0700',
    port,
    fsync: 'on',
    full_page_writes: 'on',
  };
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

/** initdb's arguments: UTF-8 text in code point order on every machine, checksums, the socket as the only door. */
export function initdbArguments(clusterDir: string, user: string, major: number): string[] {
  return [
    '-D',
    clusterDir,
    `--username=${user}`,
    '--encoding=UTF8',
    '--locale=C',
    '--data-checksums',
    '--auth-local=trust',
    '--auth-host=reject',
    // Synced by a second call, all at once, before the cluster gets its name.
    '--no-sync',
    ...(major >= 17 ? ['--locale-provider=builtin', '--builtin-locale=C.UTF-8'] : []),
  ];
}
