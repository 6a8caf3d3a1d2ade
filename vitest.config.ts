import { defineConfig } from 'vitest/config';

export default defineConfig({
  // graphql-js ships two builds; Node and the libraries load this one, and mixing both breaks `instanceof`.
  resolve: {
    alias: [
      { find: /^graphql$/, replacement: 'graphql/index.js' },
      // Tests run the source of the packages, not an older build.
      ...['client', 'react', 'server'].map((name) => ({
        find: `@signalbox/${name}`,
        replacement: new URL(`packages/${name}/src/index.ts`, import.meta.url).pathname,
      })),
    ],
  },
  test: {
    include: ['test/**/*.test.ts', 'packages/*/test/**/*.test.ts'],
    // Tests use real sockets and processes: long enough for a busy machine, short enough to report a hang.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 20_000 } },
    // CI has two cores. A quarter of the time of the tests is waiting: for processes, browsers and tokens that expire.
    maxWorkers: 3,
    // The files of one worker share their modules: loading the service again for each file took half of the time.
    isolate: false,
    reporters: ['default', './test/support/tally.ts'],
  },
});
