import { isObject } from '../is-object.ts';
import { type Message } from './message.ts';

/** The part of a project's log that a node has appended, with its messages if they are small. */
export interface WireBatch {
  projectId: string;
  first: number;
  last: number;
  messages: Message[] | undefined;
}

/** A message on the wire: its project is that of the payload. */
type WireMessage = Omit<Message, 'projectId'>;

const withoutProject = ({ projectId: _, ...message }: Message): WireMessage => message;

/** @param withMessages whether the payload carries the messages themselves */
export function encodeBatch(projectId: string, messages: readonly Message[], withMessages: boolean): unknown {
  return {
    projectId,
    first: messages[0]?.logged?.sequence,
    last: messages.at(-1)?.logged?.sequence,
    ...(withMessages && { messages: messages.map(withoutProject) }),
  };
}

export function encodeEphemeral(projectId: string, messages: readonly Message[]): unknown {
  return { projectId, messages: messages.map(withoutProject) };
}

/** Undefined unless the payload is a batch. Messages that are not those of the range count as absent. */
export function decodeBatch(payload: unknown): WireBatch | undefined {
  if (!isObject(payload)) return undefined;
  const { projectId, first, last, messages } = payload;
  if (typeof projectId !== 'string' || !isSequence(first) || !isSequence(last) || last < first)
    return undefined;
  const decoded = decodeMessages(projectId, messages);
  const isComplete =
    decoded?.length === last - first + 1 &&
    decoded.every(({ logged }, index) => logged?.sequence === first + index);
  return { projectId, first, last, messages: isComplete ? decoded : undefined };
}

/** Undefined unless the payload is one of ephemeral messages. */
export function decodeEphemeral(payload: unknown): Message[] | undefined {
  if (!isObject(payload) || typeof payload['projectId'] !== 'string') return undefined;
  const messages = decodeMessages(payload['projectId'], payload['messages']);
  return messages?.every(({ logged }) => logged === null) ? messages : undefined;
}

function decodeMessages(projectId: string, messages: unknown): Message[] | undefined {
  if (!Array.isArray(messages) || !messages.every(isWireMessage)) return undefined;
  return messages.map((message) => ({ ...message, projectId }));
}

const ADDRESS = /^(channel|token|identity|connection):/;

function isWireMessage(value: unknown): value is WireMessage {
  if (!isObject(value)) return false;
  const { id, address, event, data, sender, publishedAt, idempotencyKey, logged } = value;
  return (
    typeof id === 'string' &&
    typeof address === 'string' &&
    ADDRESS.test(address) &&
    typeof event === 'string' &&
    data !== undefined &&
    isObject(sender) &&
    (sender['kind'] === 'API_KEY' || sender['kind'] === 'TOKEN') &&
    Number.isFinite(publishedAt) &&
    (idempotencyKey === undefined || typeof idempotencyKey === 'string') &&
    (logged === null || isPosition(logged))
  );
}

function isPosition(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { epoch, sequence, previous, ordinal, previousEpoch } = value;
  return (
    isSequence(sequence) &&
    [epoch, previous, ordinal, previousEpoch ?? 0].every(
      (number) => Number.isSafeInteger(number) && (number as number) >= 0,
    )
  );
}

const isSequence = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0;
