import { type Address, type Message, type Sender } from '../../broker/message.ts';
import { type Json } from '../../names.ts';

/** The columns of a message as one JSON list, with the epochs of its position; the query names the messages `m`. */
export const MESSAGE_COLUMNS = `json_build_array(
  m.sequence, m.address, m.previous, epoch_of_v1(m.project_id, m.sequence),
  CASE WHEN m.previous > 0 THEN epoch_of_v1(m.project_id, m.previous) END,
  m.id, m.event, m.data, m.sender, m.published_at, m.ordinal, m.idempotency_key)`;

export type MessageColumns = [
  sequence: number,
  address: Address,
  previous: number,
  epoch: number,
  previousEpoch: number | null,
  id: string,
  event: string,
  data: Json,
  sender: Sender,
  publishedAt: number,
  ordinal: number,
  idempotencyKey: string | null,
];

export function toMessage(projectId: string, columns: MessageColumns): Message {
  const [sequence, address, previous, epoch, previousEpoch, id, event, data, sender, publishedAt, ...rest] =
    columns;
  const [ordinal, idempotencyKey] = rest;
  return {
    projectId,
    id,
    address,
    event,
    data,
    sender,
    publishedAt,
    idempotencyKey: idempotencyKey ?? undefined,
    logged: toLogged({ epoch, sequence, previous, ordinal }, previousEpoch),
  };
}

/** The field `logged` of a message. */
export function toLogged(
  position: Omit<NonNullable<Message['logged']>, 'previousEpoch'>,
  previousEpoch: number | null,
): NonNullable<Message['logged']> {
  return previousEpoch === null || previousEpoch === position.epoch
    ? position
    : { ...position, previousEpoch };
}
