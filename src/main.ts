import { ConfigError, readConfig } from './config.ts';
import { SignalboxError } from './errors.ts';
import { startService, type Service } from './service.ts';

/** Lines for the person who started it; the log goes its own way. */
function say(...lines: string[]): void {
  process.stderr.write(`${lines.join('\n')}\n`);
}

function giveUp(message: string): never {
  say(message);
  process.exit(1);
}

function greet({ url, firstApiKey }: Service, graphiql: boolean): void {
  say(
    `Signalbox listens on ${url}/graphql`,
    ...(firstApiKey ? [`API key (shown this once): ${firstApiKey}`] : []),
    graphiql ? `Begin: open ${url}/graphql in a browser` : `Begin: POST to ${url}/graphql`,
  );
}

async function main(): Promise<void> {
  const { config, secrets } = readConfig(process.env);
  const service = await startService(config, secrets);
  greet(service, config.graphiql === 'on' || (config.graphiql === 'auto' && config.mode !== 'production'));

  let isDraining = false;
  const drain = (): void => {
    if (isDraining) return;
    isDraining = true;
    // Exit 0 within the deadline, whatever is still open: what was acknowledged is kept already.
    setTimeout(() => process.exit(0), config.drainTimeoutMs).unref();
    service[Symbol.asyncDispose]().then(
      () => process.exit(0),
      (error: unknown) => giveUp(`Draining failed: ${String(error)}`),
    );
  };
  process.on('SIGTERM', drain);
  process.on('SIGINT', drain);
}

main().catch((error: unknown) => {
  if (error instanceof ConfigError || error instanceof SignalboxError) giveUp(error.message);
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE')
    giveUp(`The port is in use: ${(error as Error).message}. Set PORT to another one, or to 0 for any.`);
  giveUp(
    `Signalbox could not start: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
  );
});
