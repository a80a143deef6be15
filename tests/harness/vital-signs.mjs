// Preloaded into a server under test (`--import`): says over a unix socket how long the event loop was held and how
// much memory the process has, from inside.
import { createServer } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';

const path = process.env['VITAL_SIGNS_SOCKET'];
if (path) watch(path);

function watch(socketPath) {
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  let heldMs = 0;
  let peakRss = 0;
  let cpu = process.threadCpuUsage();
  const sample = () => {
    // CPU time of this thread between two turns of the loop: what held it, whatever else the machine does.
    const now = process.threadCpuUsage();
    heldMs = Math.max(heldMs, (now.user + now.system - cpu.user - cpu.system) / 1_000);
    cpu = now;
    peakRss = Math.max(peakRss, process.memoryUsage.rss());
  };
  setInterval(sample, 5).unref();
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      if (chunk.toString().includes('reset')) {
        globalThis.gc?.();
        delay.reset();
        heldMs = 0;
        peakRss = 0;
        cpu = process.threadCpuUsage();
      }
      sample();
      socket.write(
        `${JSON.stringify({ heldMs, delayMs: delay.max / 1e6, rss: process.memoryUsage.rss(), peakRss })}\n`,
      );
    });
  });
  server.listen(socketPath);
  server.unref();
}
