import { eventually } from './client.ts';
import type { Report } from './page.ts';

/** A page, by Playwright or by the DevTools protocol. */
export interface Tab {
  /** Evaluates an expression in the page. */
  run<T>(expression: string): Promise<T>;
}

/** A user of the test page. */
export interface User {
  readonly identity: string;
  readonly tab: Tab;
  /** Publishes a message, without waiting for anything. */
  say(...texts: string[]): Promise<void>;
  report(): Promise<Report>;
  /** Resolves to the first report that the condition holds for. */
  until(holds: (report: Report) => unknown, ms?: number): Promise<Report>;
}

export function createUser(identity: string, tab: Tab): User {
  const report = () => tab.run<Report>('app.report()');
  return {
    identity,
    tab,
    say: (...texts) => tab.run(`${JSON.stringify(texts)}.forEach(app.say)`),
    report,
    async until(holds, ms) {
      let last: Report | undefined;
      const isReached = async () => {
        // A page that is being loaded has no `app` yet.
        last = await report().catch(() => undefined);
        return last !== undefined && Boolean(holds(last));
      };
      let reached = false;
      let asked: Promise<void> | undefined;
      await eventually(() => {
        asked ??= isReached().then((is) => {
          reached = is;
          asked = undefined;
        });
        return reached;
      }, ms).catch(() => {
        throw new Error(`${identity}: ${holds.toString()} does not hold for ${JSON.stringify(last)}`);
      });
      return last!;
    },
  };
}
