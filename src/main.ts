#!/usr/bin/env node
/**
 * The entry. Every version of Node can parse it, and loads the rest only where that can work: a static import
 * would end in a SyntaxError, which names neither the cause nor the remedy. No top-level await and no prefix `node:`, for the
 * same reason.
 */
import { readFileSync } from 'fs';
import { machineProblem } from './machine.ts';

function readLimits(): string {
  try {
    return readFileSync('/proc/self/limits', 'latin1');
  } catch {
    return '';
  }
}

const problem = machineProblem(process.versions.node, readLimits());
if (problem === undefined) {
  void import('./start.ts');
} else {
  process.stderr.write(`${problem}\n`);
  process.exitCode = 1;
}
