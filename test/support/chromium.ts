import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';
import { type TestContext } from 'vitest';

const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
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

/** Launches a browser. Skips the test when Chromium is missing, or fails it when `REQUIRE_SERVERS=1`. */
export async function launchChromium({ skip }: TestContext): Promise<Browser> {
  if (missing && process.env['REQUIRE_SERVERS'] === '1') throw new Error(missing);
  if (missing) skip(missing);
  return chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
}
