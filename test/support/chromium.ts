import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';
import { type TestContext } from 'vitest';

/** The path of the browser. */
export const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const missing = existsSync(CHROMIUM)
  ? undefined
  : `There is no Chromium at ${CHROMIUM}: install it or set CHROMIUM.`;
if (missing) process.stderr.write(`Tests in a browser are skipped. ${missing}\n`);

/** Whether tests in a browser are skipped: Chromium is missing, and `REQUIRE_SERVERS=1` does not forbid it. */
export const skipsBrowser = missing !== undefined && process.env['REQUIRE_SERVERS'] !== '1';

/** Skips the test when Chromium is missing, or fails it when `REQUIRE_SERVERS=1`. */
export function requireChromium(scope?: TestContext): void {
  if (missing === undefined) return;
  if (scope && skipsBrowser) scope.skip(missing);
  throw new Error(missing);
}

/** Launches a browser. Skips or fails the test as `requireChromium` does. */
export async function launchChromium(scope?: TestContext, flags: string[] = []): Promise<Browser> {
  requireChromium(scope);
  return chromium.launch({ executablePath: CHROMIUM, args: [...FLAGS, ...flags] });
}
