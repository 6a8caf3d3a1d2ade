import { type Reporter, type TestModule } from 'vitest/node';

/** Vitest reporter that prints “N passed, N failed, N skipped” as the last line, for people and for scripts. */
export default class Tally implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const count = { passed: 0, failed: 0, skipped: 0 };
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state !== 'pending') count[state]++;
      }
      // A file that failed to load has no tests, so count the file itself.
      if (!module.ok() && count.failed === 0) count.failed++;
    }
    process.stdout.write(`\n${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped\n`);
  }
}
