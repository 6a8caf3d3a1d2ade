import { type Command } from 'commander';
import { addActivityCommand } from './activity.ts';
import { addBenchCommand } from './bench.ts';
import { addChannelCommands } from './channels.ts';
import { addCompletionCommand } from './completion.ts';
import { addDoctorCommand } from './doctor.ts';
import { addIssuerCommands } from './issuers.ts';
import { addKeyCommands } from './keys.ts';
import { addListenCommand } from './listen.ts';
import { addModerationCommands } from './moderation.ts';
import { addPresenceCommands } from './presence.ts';
import { addProfileCommands } from './profiles.ts';
import { addProjectCommands } from './projects.ts';
import { addPublishCommands } from './publish.ts';
import { addRevocationCommands } from './revocations.ts';
import { addStatsCommand } from './stats.ts';
import { type RemoteTerminal } from './terminal.ts';
import { addTokenCommands } from './tokens.ts';

/** Adds the commands that call a service by its public API. They import nothing of the service itself. */
export function addRemoteCommands(program: Command, terminal: RemoteTerminal): void {
  addTokenCommands(program, terminal);
  addChannelCommands(program, terminal);
  addPublishCommands(program, terminal);
  addListenCommand(program, terminal);
  addPresenceCommands(program, terminal);
  addActivityCommand(program, terminal);
  addStatsCommand(program, terminal);
  addModerationCommands(program, terminal);
  addRevocationCommands(program, terminal);
  addKeyCommands(program, terminal);
  addIssuerCommands(program, terminal);
  addProjectCommands(program, terminal);
  addProfileCommands(program, terminal);
  addDoctorCommand(program, terminal);
  addBenchCommand(program, terminal);
  addCompletionCommand(program, terminal);
}
