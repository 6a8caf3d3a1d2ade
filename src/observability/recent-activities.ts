import { type Activity, type ActivityKind } from './activity.ts';
import { Recent } from './recent.ts';

/** Activities of a project that are kept: this number of the audit log, and the same number of others; of each, at least half. */
export const MAX_KEPT_PER_PROJECT = 500;
/** Activities that a node keeps of all projects. They take about 5 MB. */
export const MAX_KEPT = 5000;

/** The kinds that come with the traffic of clients, so they can be many. The audit log leaves them out. */
export const TRAFFIC: ReadonlySet<ActivityKind> = new Set<ActivityKind>([
  'MESSAGE',
  'PRESENCE',
  'CONNECTION',
]);

interface Kept {
  /** Counts the activities of the node: those of the same millisecond stay in their order. */
  number: number;
  activity: Activity;
}

/** The activities of one project. Traffic is kept apart, so that it cannot push out what is rare. */
class ProjectActivities {
  readonly #audited = new Recent<Kept>(MAX_KEPT_PER_PROJECT);
  readonly #traffic = new Recent<Kept>(MAX_KEPT_PER_PROJECT);

  get size(): number {
    return this.#audited.all.length + this.#traffic.all.length;
  }

  get all(): Kept[] {
    return [...this.#audited.all, ...this.#traffic.all];
  }

  add(kept: Kept): void {
    (TRAFFIC.has(kept.activity.kind) ? this.#traffic : this.#audited).add(kept);
  }
}

/**
 * The newest activities of this node, without their data, in memory and bounded. Messages are not among them: `DeliveryRecords` keeps
 * those anyway. Where all projects together have too many, those of the project are dropped whose last one is the oldest.
 */
export class RecentActivities {
  /** By project, the one with the newest activity last; undefined for callers that were refused before their project was known. */
  readonly #byProject = new Map<string | undefined, ProjectActivities>();
  #count = 0;
  #added = 0;

  add(activity: Activity): void {
    const { projectId } = activity;
    const activities = this.#byProject.get(projectId) ?? new ProjectActivities();
    this.#byProject.delete(projectId);
    this.#byProject.set(projectId, activities);
    this.#count -= activities.size;
    activities.add({
      number: this.#added++,
      activity: activity.data === undefined ? activity : { ...activity, data: undefined },
    });
    this.#count += activities.size;
    while (this.#count > MAX_KEPT) this.#dropOldest();
  }

  /** The activities of projects, in the order in which they were added. */
  of(projectIds: readonly (string | undefined)[]): Activity[] {
    return projectIds
      .flatMap((projectId) => this.#byProject.get(projectId)?.all ?? [])
      .sort((one, other) => one.number - other.number)
      .map(({ activity }) => activity);
  }

  #dropOldest(): void {
    const [oldest] = this.#byProject;
    if (!oldest) return;
    const [projectId, { size }] = oldest;
    this.#byProject.delete(projectId);
    this.#count -= size;
  }
}
