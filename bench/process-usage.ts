import { readFileSync } from 'node:fs';

/** USER_HZ is 100 wherever Node runs on Linux. */
const MS_PER_TICK = 10;

/** User and system time of a process and its live descendants, in ms, with a resolution of 10 ms. */
export function cpuMsOf(pid: number): number {
  let ticks = 0;
  for (const member of processTreeOf(pid)) {
    const stat = readFileSync(`/proc/${member}/stat`, 'latin1');
    // The name in parentheses may contain spaces; utime and stime are the 14th and 15th field.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks * MS_PER_TICK;
}

/** CPU time of all processors of this machine, including steal time, in ms, with a resolution of 10 ms. */
export function machineCpuMs(): number {
  const [all] = readFileSync('/proc/stat', 'latin1').split('\n', 1);
  const [user, nice, system, , , irq, softIrq, steal] = all!.split(/ +/).slice(1).map(Number);
  return (user! + nice! + system! + irq! + softIrq! + steal!) * MS_PER_TICK;
}

/** Proportional set size of a process and its live descendants, in KiB: shared pages count by their share. */
export function memoryKbOf(pid: number): number {
  let total = 0;
  for (const member of processTreeOf(pid)) {
    const rollup = readFileSync(`/proc/${member}/smaps_rollup`, 'latin1');
    total += Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1]);
  }
  return total;
}

const KB_PER_PAGE = 4;

/** Resident set size of one process, in KiB. Cheap enough to sample while the process works. */
export function residentKbOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1]) * KB_PER_PAGE;
}

function processTreeOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim();
  if (children === '') return [pid];
  return [pid, ...children.split(' ').flatMap((child) => processTreeOf(Number(child)))];
}

/** Maximum number of open files of a process, including sockets. */
export function maxOpenFiles(): number {
  const limits = readFileSync('/proc/self/limits', 'latin1');
  return Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Infinity);
}
