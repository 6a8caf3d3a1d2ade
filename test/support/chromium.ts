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

/** Launches a browser. Skips the test when Chromium is missing, or fails it when `REQUIRE_SERVERS=1`. */
export async function launchChromium({ skip }: TestContext): Promise<Browser> {
  if (!existsSync(CHROMIUM)) {
    const missing = `There is no Chromium at ${CHROMIUM}: install it or set CHROMIUM.`;
    if (process.env['REQUIRE_SERVERS'] === '1') throw new Error(missing);
    skip(missing);
  }
  return chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
}
