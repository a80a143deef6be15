/**
 * Loaded before the server (`node --import`): plants faults into the built services named in PLANTED. Each call of
 * such a method fails in another way than the one before it.
 */
const name = process.env.PLANTED ?? '';

const dist = new URL('../../packages/server/dist/', import.meta.url);
const places = {
  services: [
    ['chat/connections.service.js', 'ConnectionsService', ['join']],
    ['chat/messages.service.js', 'MessagesService', ['send', 'list']],
    ['chat/receipts.service.js', 'ReceiptsService', ['mark']],
    ['chat/signals.service.js', 'SignalsService', ['setTyping', 'shareLocation']],
    ['chat/my-bookings.service.js', 'MyBookingsService', ['list', 'sync']],
    ['auth/sessions.service.js', 'SessionsService', ['refresh']],
    ['chat/host-messages.service.js', 'HostMessagesService', ['send', 'history']],
    ['chat/revocation.service.js', 'RevocationService', ['revoke']],
  ],
};

const faults = {
  throw: () => {
    throw new TypeError('planted: SELECT secret FROM somewhere');
  },
  reject: () => Promise.reject(new RangeError('planted: SELECT secret FROM somewhere')),
  nothing: () => {
    // oxlint-disable-next-line typescript/only-throw-error -- the very thing that is planted
    throw undefined;
  },
  // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- nothing that a string can be made of
  bare: () => Promise.reject(Object.assign(Object.create(null), { planted: true })),
  // What a driver's error looks like, with fields that no client may see.
  driver: () =>
    Promise.reject(
      Object.assign(new Error('planted: SELECT secret'), { code: '22021', detail: 'secret row' }),
    ),
};

const kinds = Object.values(faults);
for (const [file, type, methods] of places[name] ?? []) {
  const module = await import(new URL(file, dist).href);
  for (const method of methods) {
    let calls = 0;
    module[type].prototype[method] = () => kinds[calls++ % kinds.length]();
  }
}
