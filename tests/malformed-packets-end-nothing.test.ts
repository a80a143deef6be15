import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { pair, type Person } from './harness/people.js';
import { RawPeer } from './harness/raw-packets.js';
import { TestServer } from './harness/server.js';

let server: TestServer;
let booking_id: string;
let token: string;
let bystander: Person;
let pid: number;

beforeAll(async () => {
  server = await TestServer.start();
  const people = await pair(server);
  ({ booking_id } = people);
  people.driver.leave();
  bystander = people.customer;
  token = await server.token('driver', `${booking_id}-driver`);
  pid = server.pid;
});
afterEach(async () => {
  expect(server.pid).toBe(pid);
  expect((await server.rest('GET', '/health/ready')).status).toBe(200);
  // Nobody else notices.
  expect(bystander.socket.connected).toBe(true);
  expect(await bystander.ask('message.list', { booking_id })).toHaveProperty('data');
});
afterAll(async () => {
  bystander.leave();
  await server.stop();
});

const event = (name: unknown, payload: unknown, id = '') => `42${id}${JSON.stringify([name, payload])}`;
const list = () => event('message.list', { booking_id }, '77');
const isAnswer = (frame: string) => frame.startsWith('4377[');

const broken = [
  '',
  '9',
  'x',
  '\u0000',
  '4',
  '48',
  '42',
  '42[',
  '42{}',
  '42"x"',
  '42null',
  '42[]',
  '42[null]',
  '42[{}]',
  '42[[]]',
  '42[true,{}]',
  '42["disconnect"]',
  '42["connect"]',
  '42["connect_error",{}]',
  '42["newListener",{}]',
  '42["removeListener"]',
  '42["disconnecting"]',
  '42999999999999999999999["message.list",{}]',
  '42-1["message.list",{}]',
  '421e5["message.list",{}]',
  '42/admin,["message.list",{}]',
  '42/,["message.list",{}]',
  '40/admin,{"token":"x"}',
  '40/admin',
  '40"x"',
  '40[1]',
  '40',
  '41',
  '41/admin,',
  '41{"x":1}',
  '43',
  '43[]',
  '431[]',
  '4399999[{"data":{}}]',
  '43"x"',
  '44{"message":"no"}',
  '44',
  '45',
  '45-["x"]',
  '450-["x",{}]',
  '451-["message.list",{"booking_id":{"_placeholder":true,"num":0}}]',
  '45999999999-["x",{}]',
  '451.5-["x",{}]',
  '46',
  '461-1[{"_placeholder":true,"num":0}]',
  '47["x"]',
  '2',
  '2probe',
  '3',
  '3probe',
  '5',
  '6',
  '0{}',
  `42["message.send",${'['.repeat(25_000)}${']'.repeat(25_000)}]`,
  `42["message.send",${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}]`,
  `42["${'n'.repeat(60_000)}"]`,
  `42["message.list",${'1,'.repeat(25_000)}1]`,
  '42["message.list",{"__proto__":{"booking_id":"x"}}]',
  '42["__proto__",{"__proto__":{"polluted":1}}]',
  '42["error"]',
  '42["error",null]',
  '42["error",{"message":1}]',
  '42[0]',
  '42[1e999,{}]',
];

test('each broken frame of an authenticated socket is answered or ends that socket, and no other', async () => {
  for (const frame of broken) {
    const peer = await RawPeer.open(server, token);
    peer.send(frame);
    peer.send(list());
    const answer = await peer.until(isAnswer);
    if (answer !== undefined)
      expect(answer, frame.slice(0, 80)).toMatch(/^4377\[\{"(data|error)":\{[^]*\}\}\]$/);
    else expect(peer.closed).toBe(true);
    peer.leave();
  }
}, 60_000);

test('each broken frame before authentication gets nothing, and the command after it is not run', async () => {
  for (const frame of [...broken.filter((one) => one !== '40'), list()]) {
    const peer = await RawPeer.open(server);
    peer.send(frame);
    peer.send(list());
    peer.send(`40${JSON.stringify({ token: 'nothing' })}`);
    await peer.until((one) => one.startsWith('44'));
    expect(
      peer.frames.filter((one) => /^4[0235]/.test(one)),
      frame.slice(0, 80),
    ).toEqual([]);
    peer.leave();
  }
}, 60_000);

test('binary frames that nobody announced, and announced ones in wrong places, end at most that socket', async () => {
  const bytes = Buffer.from([1, 2, 3]);
  const headers = [
    undefined,
    '451-77["message.list",{"booking_id":{"_placeholder":true,"num":0}}]',
    '451-77["message.list",{"_placeholder":true,"num":0}]',
    '451-77["message.list",{"booking_id":{"_placeholder":true,"num":7}}]',
    '451-77["message.list",{"booking_id":{"_placeholder":true,"num":-1}}]',
    '451-77["message.list",{"booking_id":{"_placeholder":true,"num":"constructor"}}]',
    '451-77[{"_placeholder":true,"num":0}]',
    '452-77["message.list",{"booking_id":{"_placeholder":true,"num":1}}]',
    '461-77[{"_placeholder":true,"num":0}]',
  ];
  for (const header of headers) {
    const peer = await RawPeer.open(server, token);
    if (header !== undefined) peer.send(header);
    peer.send(bytes);
    peer.send(bytes);
    peer.send(list());
    const answer = await peer.until(isAnswer);
    if (answer !== undefined) expect(answer, header).toMatch(/^4377\[\{"(data|error)":/);
    else expect(peer.closed).toBe(true);
    peer.leave();
  }
});

test('an answer has the id that was asked with, comes once, and is one object', async () => {
  const peer = await RawPeer.open(server, token);
  for (const id of ['0', '5', '4294967296']) peer.send(event('message.list', { booking_id }, id));
  peer.send(event('no.such', {}, '6'));
  peer.send(event('message.list', { booking_id }));
  peer.send(list());
  for (const id of ['0', '5', '4294967296', '6', '77'])
    await peer.until((frame) => frame.startsWith(`43${id}[`));
  const acks = peer.frames.filter((frame) => frame.startsWith('43'));
  const ids = acks.map((frame) => /^43(\d+)\[/.exec(frame)?.[1]);
  expect(ids).toHaveLength(5);
  expect(new Set(ids)).toEqual(new Set(['0', '4294967296', '5', '6', '77']));
  for (const ack of acks) expect(JSON.parse(ack.slice(ack.indexOf('[')))).toHaveLength(1);
  // The server never asks a client for an answer: no event of it carries an id.
  for (const frame of peer.frames.filter((one) => one.startsWith('42'))) expect(frame).toMatch(/^42\["/);
  peer.leave();
});

test('a payload over the limit ends that socket only', async () => {
  const peer = await RawPeer.open(server, token);
  peer.send(event('message.list', { booking_id: 'x'.repeat(70_000) }, '77'));
  expect(await peer.until(isAnswer)).toBeUndefined();
  const http = await fetch(`${server.url}/socket.io/?EIO=4&transport=polling&sid=nobody`, {
    method: 'POST',
    body: '4',
  });
  expect(http.status).toBe(400);
});

test('Engine.IO requests that make no sense are refused', async () => {
  const queries = [
    '',
    '?EIO=4',
    '?EIO=4&transport=smoke',
    '?EIO=3&transport=polling',
    '?EIO=4&transport=polling&sid=__proto__',
    '?EIO=4&transport=websocket',
    '?EIO[]=4&transport[]=polling',
  ];
  for (const query of queries) {
    for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS']) {
      const response = await fetch(`${server.url}/socket.io/${query}`, {
        method,
        ...(method === 'POST' && { body: '40' }),
      });
      expect(response.status, `${method} ${query}`).toBeLessThan(500);
      await response.arrayBuffer();
    }
  }
});
