import { defineConfig } from 'vitest/config';

export default defineConfig({
  // graphql-js comes as two modules of the same classes; Node and the libraries take this one.
  resolve: { alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }] },
  test: {
    include: ['test/**/*.test.ts'],
    // Real sockets and processes: what hangs shall say so, what is slow on a busy machine shall not fail.
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // Two cores: more workers would only take turns.
    maxWorkers: 2,
    reporters: ['default', './test/support/tally.ts'],
  },
});
