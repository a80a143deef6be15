/** How the people of a story connect, unless it says otherwise: `npm run test:polling` tells every story by polling. */
export const storyTransports: ('websocket' | 'polling')[] =
  process.env['TESTS_TRANSPORT'] === 'polling' ? ['polling'] : ['websocket'];
