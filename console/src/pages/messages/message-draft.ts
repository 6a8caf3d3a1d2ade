import { parseJson } from '../../parts/json.ts';

/** The content of the form of a message. */
export interface MessageDraft {
  readonly event: string;
  readonly data: string;
  readonly isEphemeral: boolean;
  readonly idempotencyKey: string;
}

export const EMPTY_MESSAGE: MessageDraft = {
  event: 'message',
  data: '{ "text": "hello" }',
  isEphemeral: false,
  idempotencyKey: '',
};

interface MessageArguments {
  readonly event: string;
  readonly data?: unknown;
  readonly ephemeral?: boolean;
  readonly idempotencyKey?: string;
}

/** The arguments of a publish: absent options stay absent. */
export function argumentsOf(draft: MessageDraft): { values: MessageArguments; problem: string | undefined } {
  const { value: data, problem } = parseJson(draft.data, 'The data');
  return {
    problem,
    values: {
      event: draft.event,
      ...(data !== undefined && { data }),
      ...(draft.isEphemeral && { ephemeral: true }),
      ...(draft.idempotencyKey !== '' && { idempotencyKey: draft.idempotencyKey }),
    },
  };
}
