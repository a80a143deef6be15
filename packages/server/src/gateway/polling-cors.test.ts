import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { isUnder, letPagesPoll } from './polling-cors.js';

test.each(['/chat', '/chat/'])(
  "under %s pages are told whether they may read; a host's own pages are not spoken of",
  async (path) => {
    const http = createServer((request, response) => response.end(request.url));
    letPagesPoll(http, isUnder(path), { allows: (origin) => origin === 'https://app.example' });
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    try {
      const base = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
      const ask = async (url: string, origin: string, method = 'GET') => {
        const response = await fetch(`${base}${url}`, { method, headers: { origin } });
        return [await response.text(), response.headers.get('access-control-allow-origin')];
      };
      expect(await ask('/chat/?EIO=4', 'https://app.example')).toEqual([
        '/chat/?EIO=4',
        'https://app.example',
      ]);
      expect(await ask('/chat/?EIO=4', 'https://app.example', 'OPTIONS')).toEqual([
        '',
        'https://app.example',
      ]);
      expect(await ask('/chat/?EIO=4', 'https://evil.example')).toEqual(['/chat/?EIO=4', null]);
      for (const url of ['/chat-admin', '/chatter/', '/'])
        expect(await ask(url, 'https://app.example')).toEqual([url, null]);
    } finally {
      http.close();
    }
  },
);
