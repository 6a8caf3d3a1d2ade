import { type CreateTokenInput } from '../../generated/operations.ts';
import { grantsOf, type GrantDraft } from '../../fields/grant.ts';
import { secondsOf } from '../../fields/lifetime.ts';
import { roleArguments } from '../../fields/RoleField.tsx';
import { parseJson } from '../../parts/json.ts';

/** The content of the form of a new token. */
export interface TokenDraft {
  readonly identity: string;
  readonly role: string;
  readonly channels: readonly string[];
  readonly lifetime: string;
  /** RFC 3339; null: the lifetime decides. */
  readonly expiresAt: string | null;
  readonly grants: readonly GrantDraft[];
  readonly connectionData: string;
  readonly state: string;
}

export const EMPTY_DRAFT: TokenDraft = {
  identity: '',
  role: 'PUBLISHER',
  channels: [],
  lifetime: '',
  expiresAt: null,
  grants: [],
  connectionData: '',
  state: '',
};

/** The input of `createToken`: absent options stay absent. */
export function inputOf(draft: TokenDraft): { input: CreateTokenInput; problem: string | undefined } {
  const { value: state, problem } = parseJson(draft.state, 'The state');
  const grants = grantsOf(draft.grants);
  const expiresIn = secondsOf(draft.lifetime);
  return {
    problem,
    input: {
      ...(draft.identity !== '' && { identity: draft.identity }),
      ...roleArguments(draft.role),
      ...(draft.channels.length > 0 && { channels: [...draft.channels] }),
      ...(expiresIn !== undefined && { expiresIn }),
      ...(draft.expiresAt !== null && { expiresAt: draft.expiresAt }),
      ...(grants && { grants }),
      ...(draft.connectionData !== '' && { connectionData: draft.connectionData }),
      ...(state !== undefined && { state }),
    },
  };
}
