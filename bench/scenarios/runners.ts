import { type Job, type Outcome } from '../job.ts';
import { calibration } from './calibration.ts';
import { channels } from './channels.ts';
import { cluster } from './cluster.ts';
import { connections } from './connections.ts';
import { fanOut } from './fan-out.ts';
import { publishes } from './publishes.ts';
import { resume } from './resume.ts';
import { revocation } from './revocation.ts';
import { stalled } from './stalled.ts';
import { stalls } from './stalls.ts';

/** The work of the load generator for each scenario. */
export const RUNNERS: Readonly<Record<string, (job: Job) => Promise<Outcome>>> = {
  calibration,
  fanout: fanOut,
  cluster,
  connections,
  publishes,
  resume,
  stalled,
  stalls,
  channels,
  size: fanOut,
  revocation,
};
