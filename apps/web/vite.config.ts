import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** Where `npm start` listens by default; only `vite dev` uses it. */
const server = 'http://127.0.0.1:5000';

export default defineConfig({
  base: '/demo/',
  plugins: [react(), tailwindcss()],
  build: {
    // The server's CSP allows nothing but its own files: no data: URLs, no inline code.
    assetsInlineLimit: 0,
    target: 'es2023',
    // Keeps light-dark() as it is: what Tailwind 4 needs is as new as that.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    reportCompressedSize: false,
  },
  server: {
    host: '127.0.0.1',
    proxy: {
      '/socket.io': { target: server, ws: true },
      '/demo/session': server,
      '/demo/status': server,
    },
  },
});
