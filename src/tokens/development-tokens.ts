import { SignalboxError } from '../errors.ts';
import { parseName } from '../names.ts';
import { type ProjectSettings } from '../projects/project-settings.ts';
import { type Caller } from './caller.ts';
import { mintDevelopmentToken as mint } from './issuers/development.ts';

/**
 * Creates an unsigned credential for an identity.
 * @throws FORBIDDEN when development tokens are disabled in the caller's project
 * @throws BAD_USER_INPUT when the identity is malformed
 */
export type MintDevelopmentToken = (caller: Caller, identity: string) => Promise<string>;

export function createMintDevelopmentToken(
  settingsOf: (projectId: string) => Promise<ProjectSettings>,
): MintDevelopmentToken {
  return async ({ projectId }, identity) => {
    if (!(await settingsOf(projectId)).developmentTokens)
      throw new SignalboxError('FORBIDDEN', 'Development tokens are disabled in this project.');
    return mint(parseName('emailIdentity', identity, 'identity'));
  };
}
