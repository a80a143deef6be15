import type { Reporter, SerializedError, TestModule } from 'vitest/node';
import { forgetLeftOut, readLeftOut } from './left-out.js';
import { forgetPackets, packetsHeard } from './packets-heard.js';

/** Ends the run with what was left out and why, then with one plain line that a machine can read. */
export default class ClosingReporter implements Reporter {
  onInit(): void {
    forgetLeftOut();
    forgetPackets();
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const count = { passed: 0, failed: unhandled.length, skipped: 0 };
    for (const module of modules) {
      let failedInside = 0;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed') count.passed += 1;
        else if (state === 'failed') failedInside += 1;
        else count.skipped += 1;
      }
      // A file that did not load, or whose hooks failed, has no failed test of its own but is a failure.
      count.failed += failedInside === 0 && module.state() === 'failed' ? 1 : failedInside;
    }
    // After vitest's own summary, which is printed by a reporter that runs beside this one.
    process.once('exit', () => {
      const lines = readLeftOut().map(({ what, why }) => `left out: ${what}: ${why}`);
      const { websocket, polling } = packetsHeard();
      lines.push(`held to the packet rules: ${websocket} packets by websocket, ${polling} by polling`);
      const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : '';
      lines.push(`${count.passed} passed, ${count.failed} failed${skipped}`);
      process.stdout.write(`${lines.join('\n')}\n`);
      forgetLeftOut();
      forgetPackets();
    });
  }
}
