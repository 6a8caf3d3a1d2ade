#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { createProgram } from './cli/program.ts';
import { systemClock } from './clock.ts';
import { ConfigError, readConfig } from './config.ts';
import { SignalboxError } from './errors.ts';
import { startService, type Service } from './service.ts';

/** Lines for the person at the terminal. Structured logs go to standard output. */
function print(...lines: string[]): void {
  process.stderr.write(`${lines.join('\n')}\n`);
}

function fail(message: string): never {
  print(message);
  process.exit(1);
}

function greet({ url, firstApiKey }: Service, graphiql: boolean): void {
  print(
    `Signalbox listens on ${url}/graphql`,
    ...(firstApiKey ? [`API key (shown this once): ${firstApiKey}`] : []),
    graphiql ? `Begin: open ${url}/graphql in a browser` : `Begin: POST to ${url}/graphql`,
  );
}

async function start(): Promise<void> {
  const { config, secrets } = readConfig(process.env);
  const service = await startService(config, secrets);
  greet(service, config.graphiql === 'on' || (config.graphiql === 'auto' && config.mode !== 'production'));

  let isDraining = false;
  const drain = (): void => {
    if (isDraining) return;
    isDraining = true;
    // Acknowledged messages are on disk, so exiting with open requests after the deadline loses nothing.
    setTimeout(() => process.exit(0), config.drainTimeoutMs).unref();
    service[Symbol.asyncDispose]().then(
      () => process.exit(0),
      (error: unknown) => fail(`Draining failed: ${String(error)}`),
    );
  };
  process.on('SIGTERM', drain);
  process.on('SIGINT', drain);
}

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

const program = createProgram({
  env: process.env,
  version,
  print,
  now: systemClock.now,
  start,
  setExitCode: (code) => (process.exitCode = code),
});

program.parseAsync().catch((error: unknown) => {
  if (error instanceof ConfigError || error instanceof SignalboxError) fail(error.message);
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE')
    fail(`The port is in use: ${(error as Error).message}. Set PORT to another one, or to 0 for any.`);
  fail(
    `Signalbox could not start: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
  );
});
