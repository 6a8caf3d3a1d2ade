import { type Socket } from './connection/socket.ts';
import { DOCUMENTS } from './documents.ts';
import { type Message } from './message.ts';

/** The arguments of `publishMessage`. */
interface PublishVariables {
  readonly channel: string;
  readonly event: string;
  readonly data: unknown;
  readonly ephemeral?: boolean;
  readonly idempotencyKey?: string;
}

/** Publishes a message over a socket. */
export async function publishOn(socket: Socket, variables: PublishVariables): Promise<Message> {
  const result = await socket.execute(DOCUMENTS.publish, variables);
  return (result as { publishMessage: { message: Message } }).publishMessage.message;
}
