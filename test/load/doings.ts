import { type MintedToken } from '../support/backend.ts';
import { moderate } from '../support/moderation.ts';
import { numbers } from '../support/publish.ts';
import { type Crowd, type Doomed } from './crowd.ts';
import { byHttp, byWebSocket, type Ask, type ChannelName } from './speech.ts';

const WEIGHTS: Record<ChannelName, number> = { busy: 45, calm: 15, club: 30, heavy: 10 };
const MOST_AT_ONCE = 25;
const EPHEMERAL = 0.15;

/** Says much at once, again and again, until enough is said. */
async function speak(crowd: Crowd, lane: string, ask: Ask, by?: string): Promise<void> {
  const chance = crowd.chance.fork(lane);
  while (!crowd.isOver) {
    const burst = numbers(chance.between(1, MOST_AT_ONCE)).map(() => {
      const channel = by === undefined ? chance.weighted(WEIGHTS) : 'busy';
      const event = chance.pick(['a', 'b'] as const);
      return crowd.speech.say(ask, channel, { event, ephemeral: chance.next() < EPHEMERAL, by });
    });
    await Promise.all(burst);
  }
}

/** By the API key and by a token, over HTTP and over WebSockets. */
export async function speakAll(crowd: Crowd, orator: MintedToken): Promise<void> {
  const { signalbox } = crowd;
  await Promise.all([
    speak(crowd, 'http', byHttp(signalbox)),
    speak(crowd, 'http again', byHttp(signalbox)),
    speak(crowd, 'socket', byWebSocket(signalbox.client())),
    speak(crowd, 'socket again', byWebSocket(signalbox.client())),
    speak(crowd, 'orator', byWebSocket(crowd.client(orator)), 'orator'),
    speak(crowd, 'orator by http', byHttp(signalbox, orator.credential), 'orator'),
  ]);
}

export async function cutNowAndThen(crowd: Crowd): Promise<void> {
  const chance = crowd.chance.fork('cuts');
  while (!crowd.isOver) {
    await crowd.pass(chance.between(5, 60));
    chance.pick(crowd.proxies).cut();
  }
}

export async function stallNowAndThen(crowd: Crowd): Promise<void> {
  const chance = crowd.chance.fork('stalls');
  await Promise.all(
    crowd.stalling.map(async (watched, index) => {
      // Two of them read nothing until all is said: they are given up, and come back.
      const words = () => (index % 3 === 0 ? crowd.words : chance.between(50, 400));
      while (!crowd.isOver) {
        const { socket } = watched;
        socket?.pause();
        await crowd.pass(words());
        socket?.resume();
        await crowd.pass(chance.between(1, 30));
      }
    }),
  );
}

export async function renewNowAndThen(crowd: Crowd): Promise<void> {
  const chance = crowd.chance.fork('renewals');
  const { request } = crowd.signalbox;
  while (!crowd.isOver) {
    await crowd.pass(chance.between(5, 60));
    const { watched, token } = chance.pick(crowd.renewing);
    const { createCredential } = await request(
      `mutation ($token: ID!) { createCredential(token: $token) { credential } }`,
      { token: token.id },
    );
    const { credential } = createCredential;
    const query = `mutation ($credential: String!) { reauthenticate(credential: $credential) { kind } }`;
    const { errors } = await byWebSocket(watched.client)(query, { credential });
    if (errors) throw new Error(JSON.stringify(errors));
  }
}

/** Ends as a member. */
export async function flapNowAndThen(crowd: Crowd, token: string): Promise<void> {
  const chance = crowd.chance.fork('flapping');
  const move = (what: string) =>
    crowd.speech.span(() =>
      crowd.signalbox.request(
        `mutation ($token: ID!) { ${what}(channel: "club", token: $token) { createdAt } }`,
        { token },
      ),
    );
  while (!crowd.isOver) {
    await crowd.passIn('club', chance.between(5, 20));
    crowd.stays.at(-1)!.ended = await move('unsubscribeToken');
    await crowd.passIn('club', chance.between(3, 12));
    crowd.stays.push({ began: await move('subscribeToken'), ended: undefined });
  }
}

/** Ends unmuted. */
export async function muteNowAndThen(crowd: Crowd, token: string): Promise<void> {
  const chance = crowd.chance.fork('mutes');
  while (!crowd.isOver) {
    await crowd.pass(chance.between(20, 100));
    await moderate(crowd.signalbox, 'mute', { token, channel: 'busy' });
    await crowd.pass(chance.between(1, 30));
    await moderate(crowd.signalbox, 'unmute', { token, channel: 'busy' });
  }
}

/** In the middle of whatever is being said. */
export async function revokeAfter({ speech }: Crowd, words: number, doomed: Doomed): Promise<void> {
  await speech.until(() => speech.said.length >= words);
  doomed.end = await speech.span(doomed.revoke);
}
