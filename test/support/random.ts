import { onTestFailed } from 'vitest';
import { createNumberGenerator } from './number-generator.ts';

/**
 * Reproducible random numbers in [0, 1). The seed is the environment variable `SEED`, or random by default; it is printed
 * when the running test fails.
 */
export function createRandom(): () => number {
  const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 32));
  onTestFailed(() => {
    process.stderr.write(`SEED=${seed}\n`);
  });
  return createNumberGenerator(seed);
}
