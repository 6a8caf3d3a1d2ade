import { expect, test } from 'vitest';
import { createLatencies } from '../../src/cli/remote/bench.ts';

test('the latencies of bench are those of the sorted deliveries', () => {
  const latencies = createLatencies();
  expect(latencies.at(0.5)).toBe(0);
  for (let ms = 100; ms > 0; ms--) latencies.add(ms);
  expect([0, 0.5, 0.99, 1].map(latencies.at)).toEqual([1, 50, 99, 100]);
  latencies.add(-5);
  latencies.add(1e9);
  expect([latencies.count, latencies.at(0), latencies.at(1)]).toEqual([102, 0, 60_000]);
});
