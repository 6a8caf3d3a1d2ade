import { type Reporter, type TestModule } from 'vitest/node';

/** Closes the run with one plain line that people and programs can read: “N passed, N failed, N skipped”. */
export default class Tally implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const count = { passed: 0, failed: 0, skipped: 0 };
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state !== 'pending') count[state]++;
      }
      // A file that could not even be read has no tests to fail.
      if (!module.ok() && count.failed === 0) count.failed++;
    }
    process.stdout.write(`\n${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped\n`);
  }
}
