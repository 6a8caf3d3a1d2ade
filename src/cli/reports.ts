import { type BackupReport } from '../maintenance/backup.ts';
import { type CheckReport } from '../maintenance/check.ts';
import { type ProjectSummary } from '../maintenance/inspect.ts';
import { type RestoreReport } from '../maintenance/restore.ts';

const describeProject = ({ projectId, messages, head }: ProjectSummary) =>
  `Project ${projectId}: ${messages} messages, head of the log ${head}.`;

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
    `The store is damaged: ${damage.length} faults.`,
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
        `Undone in project ${projectId}: ${messages} messages, ${tokens} new tokens, ${channels} new channels.`,
    ),
    ...(undone ? [] : ['The replaced store could not be read, so it is unknown how much is undone.']),
    ...(carriedOver
      ? [
          `Taken over from the replaced store: ${Object.entries(carriedOver)
            .map(([name, count]) => `${toWords(name)} ${count}`)
            .join(', ')}.`,
        ]
      : []),
    ...(revokedProjects > 0 ? [`Older credentials are refused in ${revokedProjects} projects.`] : []),
    'Clients with a cursor after the backup receive POSITION_LOST. Idempotency keys used after the backup are forgotten.',
  ];
}

/** `revokedTokens` → `revoked tokens` */
const toWords = (name: string) => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
