#!/usr/bin/env node
/**
 * The entry. Every version of Node can parse it, and loads the rest only where that can work: a static import
 * would end in a SyntaxError, which names neither the cause nor the remedy. No top-level await and no prefix `node:`, for the
 * same reason.
 */
import { readFileSync } from 'fs';
import { machineProblem, moduleProblem } from './machine.ts';

function readLimits(): string {
  try {
    return readFileSync('/proc/self/limits', 'latin1');
  } catch {
    return '';
  }
}

function exitWith(message: string): void {
  process.stderr.write(`${message}\n`);
  process.exitCode = 1;
}

const problem = machineProblem(process.versions.node, readLimits());
if (problem === undefined) {
  import('./start.ts').catch((error: unknown) => {
    const missing = moduleProblem(error, process.versions.node);
    if (missing === undefined) throw error;
    exitWith(missing);
  });
} else {
  exitWith(problem);
}
