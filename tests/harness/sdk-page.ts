import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const HTML =
  '<!doctype html><meta charset="utf-8"><title>SDK</title><div id="app"></div><script type="module" src="/page.js"></script>';

/** A page of an app that uses the SDK, on an origin of its own that stays up when the chat server is down. */
export class SdkPage {
  private constructor(
    readonly url: string,
    private readonly server: Server,
  ) {}

  /** Serves a program, bundled as an app's bundler would. */
  static async serve(program: URL): Promise<SdkPage> {
    const { outputFiles } = await build({
      entryPoints: [fileURLToPath(program)],
      bundle: true,
      format: 'esm',
      platform: 'browser',
      target: 'es2022',
      define: { 'process.env.NODE_ENV': '"development"' },
      write: false,
      logLevel: 'error',
    });
    const script = outputFiles[0]?.text ?? '';
    const server = createServer((request, response) => {
      const isScript = request.url === '/page.js';
      response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
      response.end(isScript ? script : HTML);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new SdkPage(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, server);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
