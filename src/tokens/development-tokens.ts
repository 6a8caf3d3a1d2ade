import { SignalboxError } from '../errors.ts';
import { parseName } from '../names.ts';
import { type ProjectSettings } from '../projects/project-settings.ts';
import { type Caller } from './caller.ts';
import { mintDevelopmentToken as mint } from './issuers/development.ts';

/** Makes an unsigned credential. @throws FORBIDDEN where the project takes none, BAD_USER_INPUT */
export type MintDevelopmentToken = (caller: Caller, identity: string) => Promise<string>;

export function createMintDevelopmentToken(
  settingsOf: (projectId: string) => Promise<ProjectSettings>,
): MintDevelopmentToken {
  return async ({ projectId }, identity) => {
    if (!(await settingsOf(projectId)).developmentTokens)
      throw new SignalboxError('FORBIDDEN', 'This project takes no development tokens.');
    return mint(parseName('emailIdentity', identity, 'identity'));
  };
}
