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
