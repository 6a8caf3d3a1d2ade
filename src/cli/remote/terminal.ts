/** The parts of the process that commands use which call a service. */
export interface RemoteTerminal {
  env: Readonly<Record<string, string | undefined>>;
  /** Prints a line to standard error: notes, errors and progress. */
  print: (line: string) => void;
  /** Writes a line to standard output: the result of a command. Resolves when it is written. @throws OutputClosed */
  write: (line: string) => Promise<void>;
  /** Standard input, in chunks. */
  readInput: () => AsyncIterable<Uint8Array>;
  /** Replaces the line at the cursor of standard error; undefined where that is no terminal. */
  showProgress: ((text: string) => void) | undefined;
  /** Calls a listener, once, when the user or the system asks the process to end. */
  onInterrupt: (listener: () => void) => void;
  /** Milliseconds since 1970. */
  now: () => number;
  /** The checks of this machine, for a service that starts here. See `machineChecks`. */
  checkMachine: () => AsyncIterable<readonly [name: string, run: () => string]>;
  /** Creates a folder and its missing parents, each for its owner only. */
  createFolder: (path: string) => void;
  setExitCode: (code: number) => void;
}

/**
 * The reader of standard output has gone, such as `head`. It ends a list or `listen`, which did what it was asked to do. Commands
 * with several changes or checks finish them first; see `runToEnd`.
 */
export class OutputClosed extends Error {
  override readonly name = 'OutputClosed';
}
