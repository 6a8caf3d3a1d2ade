import { type Access, type Encounter } from '../channels/access.ts';
import { type Action } from '../projects/permissions.ts';
import { admit, type Admission, type EndReason } from './admission.ts';
import { type Connection } from './connection.ts';
import { EventStream, type Sink } from './stream.ts';
import { type Watch } from './watch.ts';

/** What a stream about one channel does; that it may do so is seen to by whoever opens it. */
export interface ChannelSource<T> {
  /** Called once, when there is a sink. */
  start(sink: Sink<T>, encounter: Encounter): void;
  /** The state of the channel has changed. */
  changed?(encounter: Encounter): void;
  /** With a reason: the connection may no longer take the action. */
  stop(reason?: EndReason): void;
}

/**
 * A stream about one channel, for as long as the connection may take `action` there: then it ends with the refusal.
 * `make` is called once the connection is admitted.
 * @throws as `Access.require`, and whatever `make` throws
 */
export async function openChannelStream<T>(
  parts: { watch: Watch; access: Access },
  connection: Connection,
  action: Action,
  channelId: string,
  make: (stream: EventStream<T>, encounter: Encounter) => Promise<ChannelSource<T>> | ChannelSource<T>,
): Promise<EventStream<T>> {
  let admission: Admission | undefined;
  let source: ChannelSource<T> | undefined;
  let reason: EndReason | undefined;
  const release = () => {
    admission?.[Symbol.dispose]();
    source?.stop(reason);
  };
  const stream = new EventStream<T>(connection, {
    start: (sink) => admission && source?.start(sink, admission.encounter),
    judge: () => admission?.judge(),
    stop: release,
  });
  try {
    admission = await admit(parts, connection, action, channelId, {
      ended: (error, why) => {
        reason = why;
        stream.end(error);
      },
      changed: (encounter) => source?.changed?.(encounter),
    });
    source = await make(stream, admission.encounter);
  } catch (error) {
    stream.end();
    admission?.[Symbol.dispose]();
    throw error;
  }
  // It may have ended while it was being made, when there was nothing to release yet.
  if (stream.ended) release();
  return stream;
}
