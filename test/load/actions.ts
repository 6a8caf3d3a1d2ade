import { type MintedToken } from '../support/backend.ts';
import { moderate } from '../support/moderation.ts';
import { numbers } from '../support/publish.ts';
import { type LoadRun, type RevokedGroup } from './load-run.ts';
import { byHttp, byWebSocket, type Execute, type ChannelName } from './publishing.ts';

const WEIGHTS: Record<ChannelName, number> = { busy: 45, calm: 15, club: 30, heavy: 10 };
const MAX_BURST = 25;
const EPHEMERAL = 0.15;

/** Publishes concurrent bursts of messages until the run is done. */
async function publishBursts(run: LoadRun, lane: string, execute: Execute, by?: string): Promise<void> {
  const random = run.random.fork(lane);
  while (!run.isDone) {
    const burst = numbers(random.between(1, MAX_BURST)).map(() => {
      const channel = by === undefined ? random.weighted(WEIGHTS) : 'busy';
      const event = random.pick(['a', 'b'] as const);
      return run.publishing.publish(execute, channel, { event, ephemeral: random.next() < EPHEMERAL, by });
    });
    await Promise.all(burst);
  }
}

/** Publishes with the API key and with a token, over HTTP and over WebSocket, until the run is done. */
export async function publishEverything(run: LoadRun, publisher: MintedToken): Promise<void> {
  const { signalbox } = run;
  await Promise.all([
    publishBursts(run, 'http', byHttp(signalbox)),
    publishBursts(run, 'http again', byHttp(signalbox)),
    publishBursts(run, 'socket', byWebSocket(signalbox.client())),
    publishBursts(run, 'socket again', byWebSocket(signalbox.client())),
    publishBursts(run, 'publisher', byWebSocket(run.client(publisher)), 'publisher'),
    publishBursts(run, 'publisher by http', byHttp(signalbox, publisher.credential), 'publisher'),
  ]);
}

export async function cutRepeatedly(run: LoadRun): Promise<void> {
  const random = run.random.fork('cuts');
  while (!run.isDone) {
    await run.untilPublished(random.between(5, 60));
    random.pick(run.proxies).cut();
  }
}

export async function stallRepeatedly(run: LoadRun): Promise<void> {
  const random = run.random.fork('stalls');
  await Promise.all(
    run.stallingClients.map(async (tracked, index) => {
      // Two clients read nothing until the end, so that the service closes them as slow consumers.
      const pauseCount = () => (index % 3 === 0 ? run.messageCount : random.between(50, 400));
      while (!run.isDone) {
        const { socket } = tracked;
        socket?.pause();
        await run.untilPublished(pauseCount());
        socket?.resume();
        await run.untilPublished(random.between(1, 30));
      }
    }),
  );
}

export async function reauthenticateRepeatedly(run: LoadRun): Promise<void> {
  const random = run.random.fork('renewals');
  const { request } = run.signalbox;
  while (!run.isDone) {
    await run.untilPublished(random.between(5, 60));
    const { tracked, token } = random.pick(run.reauthenticatingClients);
    const { createCredential } = await request(
      `mutation ($token: ID!) { createCredential(token: $token) { credential } }`,
      { token: token.id },
    );
    const { credential } = createCredential;
    const query = `mutation ($credential: String!) { reauthenticate(credential: $credential) { kind } }`;
    const { errors } = await byWebSocket(tracked.client)(query, { credential });
    if (errors) throw new Error(JSON.stringify(errors));
  }
}

/** Subscribes the token to channel `club` and unsubscribes it, in turn. At the end, the token is a member. */
export async function changeMembershipRepeatedly(run: LoadRun, token: string): Promise<void> {
  const random = run.random.fork('changingMembers');
  const changeMembership = (field: string) =>
    run.publishing.span(() =>
      run.signalbox.request(
        `mutation ($token: ID!) { ${field}(channel: "club", token: $token) { createdAt } }`,
        { token },
      ),
    );
  while (!run.isDone) {
    await run.untilPublishedIn('club', random.between(5, 20));
    run.membershipPeriods.at(-1)!.ended = await changeMembership('unsubscribeToken');
    await run.untilPublishedIn('club', random.between(3, 12));
    run.membershipPeriods.push({ began: await changeMembership('subscribeToken'), ended: undefined });
  }
}

/** Mutes and unmutes the token in channel `busy`, in turn. At the end, the token is not muted. */
export async function muteRepeatedly(run: LoadRun, token: string): Promise<void> {
  const random = run.random.fork('mutes');
  while (!run.isDone) {
    await run.untilPublished(random.between(20, 100));
    await moderate(run.signalbox, 'mute', { token, channel: 'busy' });
    await run.untilPublished(random.between(1, 30));
    await moderate(run.signalbox, 'unmute', { token, channel: 'busy' });
  }
}

/** Revokes the group after so many messages, while further messages are being published. */
export async function revokeAfter(
  { publishing }: LoadRun,
  messageCount: number,
  group: RevokedGroup,
): Promise<void> {
  await publishing.until(() => publishing.attempts.length >= messageCount);
  group.end = await publishing.span(group.revoke);
}
