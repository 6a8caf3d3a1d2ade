import { type BackupReport } from '../maintenance/backup.ts';
import { type CheckReport } from '../maintenance/check.ts';
import { type ProjectSummary } from '../maintenance/inspect.ts';
import { type RestoreReport } from '../maintenance/restore.ts';

/** @example count(1, 'new token') // 1 new token */
const count = (number: number, noun: string) => `${number} ${noun}${number === 1 ? '' : 's'}`;

const describeProject = ({ projectId, messages, head }: ProjectSummary) =>
  `Project ${projectId}: ${count(messages, 'message')}, head of the log ${head}.`;

export function describeBackup({ file, bytes, projects }: BackupReport): string[] {
  return [
    `Wrote ${file}: ${bytes} bytes, verified.`,
    ...projects.map(describeProject),
    'The master key is not in the backup. Without it, API keys that sign, issuers and signing keys cannot be read.',
  ];
}

export function describeCheck({ damage, projects }: CheckReport): string[] {
  if (damage.length === 0) return ['No damage was found.', ...projects.map(describeProject)];
  return [
    `The store is damaged: ${count(damage.length, 'fault')}.`,
    ...damage.map(
      ({ table, place, message }) => `${table}${place === undefined ? '' : ` (${place})`}: ${message}`,
    ),
    'Stop the service and restore a backup with “signalbox restore FILE”.',
  ];
}

export function describeRestore(report: RestoreReport): string[] {
  const { replaced, projects, undone, carriedOver, revokedProjects } = report;
  return [
    'The backup is in place. Start the service.',
    ...projects.map(describeProject),
    ...(replaced === undefined ? [] : [`The replaced store is kept as ${replaced}.`]),
    ...(undone ?? []).map(
      ({ projectId, messages, tokens, channels }) =>
        `Undone in project ${projectId}: ${count(messages, 'message')}, ${count(tokens, 'new token')}, ${count(channels, 'new channel')}.`,
    ),
    ...(undone ? [] : ['The replaced store could not be read, so it is unknown how much is undone.']),
    ...(carriedOver
      ? [
          `Taken over from the replaced store: ${Object.entries(carriedOver)
            .map(([name, number]) => `${toWords(name)} ${number}`)
            .join(', ')}.`,
        ]
      : []),
    ...(revokedProjects > 0
      ? [`Older credentials are refused in ${count(revokedProjects, 'project')}.`]
      : []),
    'Clients with a cursor after the backup receive POSITION_LOST. Idempotency keys used after the backup are forgotten.',
  ];
}

/** `revokedTokens` → `revoked tokens` */
const toWords = (name: string) => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
