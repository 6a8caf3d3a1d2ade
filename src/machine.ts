/** The oldest version of Node that the service runs on, as [major, minor]. */
const OLDEST_NODE = [20, 19] as const;
/** With fewer file descriptors, Node cannot load the modules of the service, which it opens many at a time. */
const MIN_DESCRIPTORS = 256;

/**
 * Why the service cannot be loaded on this machine, in a sentence for the person at the terminal; undefined if it can. Old
 * versions of Node run this function, so it uses no syntax that Node 12 does not know.
 * @param nodeVersion such as `20.19.0`
 * @param limits the text of `/proc/self/limits`; empty where the system has none
 */
export function machineProblem(nodeVersion: string, limits: string): string | undefined {
  const [major = 0, minor = 0] = nodeVersion.split('.').map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_NODE;
  if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor))
    return `Signalbox needs Node ${oldestMajor}.${oldestMinor} or newer; this is Node ${nodeVersion}. Install a newer version: https://nodejs.org/`;
  const found = /^Max open files\s+(\d+)/m.exec(limits);
  if (found !== null && Number(found[1]) < MIN_DESCRIPTORS)
    return `Signalbox needs at least ${MIN_DESCRIPTORS} file descriptors to start, and one more for each connection; the limit is ${Number(found[1])}. Raise it: ulimit -n, or LimitNOFILE in systemd.`;
  return undefined;
}

/**
 * Why a module of the service could not be loaded, in a sentence for the person at the terminal; undefined if the error and its
 * causes have another subject. Like `machineProblem`, it uses no syntax that Node 12 does not know.
 * @param nodeVersion such as `20.19.0`
 */
export function moduleProblem(error: unknown, nodeVersion: string): string | undefined {
  for (
    let cause = error, depth = 0;
    cause instanceof Error && depth < MAX_CAUSES;
    cause = cause.cause, depth++
  ) {
    const { code } = cause as Error & { code?: unknown };
    const [firstLine = ''] = cause.message.split('\n');
    if (code === 'ERR_DLOPEN_FAILED' || firstLine.startsWith('Could not locate the bindings file'))
      return `The SQLite module cannot be loaded by Node ${nodeVersion}: it is missing, damaged, or built for another version of Node or another system. Run “npm rebuild better-sqlite3” with this Node. (${firstLine})`;
    if (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND')
      return `The installation is incomplete: ${firstLine}. Run “npm ci” in the folder of Signalbox, which also builds dist/.`;
  }
  return undefined;
}

/** Errors have few causes; the bound ends a loop of causes. */
const MAX_CAUSES = 8;

/** Why the service cannot listen on the address of HOST and PORT, with the remedy; undefined if the error has another cause. */
export function listenProblem(error: unknown): string | undefined {
  const { code = '', syscall, message } = error as NodeJS.ErrnoException;
  if (syscall !== 'listen' && syscall !== 'getaddrinfo') return undefined;
  if (code === 'EADDRINUSE')
    return `The port is in use: ${message}. Set PORT to another one, or to 0 for any free port.`;
  if (code === 'EACCES')
    return `The port needs privileges: ${message}. Set PORT to 1024 or more, with a proxy in front.`;
  return `HOST is not an address of this machine: ${message}. Set HOST to an IP address without scheme, port and brackets, for example 127.0.0.1, or 0.0.0.0 for all.`;
}
