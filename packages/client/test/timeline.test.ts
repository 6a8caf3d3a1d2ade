import { expect, test } from 'vitest';
import { createTimeline, type Page } from '../src/channels/timeline.ts';
import { type Message } from '../src/message.ts';

const messageOf = (id: string): Message => ({
  ...{ id, cursor: id, ordinal: null, idempotencyKey: null, channel: 'lobby', event: 'message', data: null },
  publishedAt: '2026-01-01T00:00:00.000Z',
  sender: { kind: 'TOKEN', token: null, identity: null, connectionData: null },
});
const pageOf = (...ids: string[]): Page => ({
  nodes: ids.map(messageOf),
  pageInfo: { startCursor: ids[0] ?? null, endCursor: null, hasPreviousPage: false, hasNextPage: false },
});

test('keeps the order of live messages that the page lacks because they are not kept', () => {
  const timeline = createTimeline();
  timeline.beginLoading();
  for (const id of ['2', 'ephemeral', '3', '4']) timeline.append(messageOf(id));
  timeline.finishLoading(pageOf('1', '2', '3'));
  expect(timeline.messages.map(({ id }) => id)).toEqual(['1', '2', 'ephemeral', '3', '4']);
});

test('lists a message once when it arrives live after the page that contains it', () => {
  const timeline = createTimeline();
  timeline.beginLoading();
  timeline.finishLoading(pageOf('1', '2'));
  for (const id of ['2', '3']) timeline.append(messageOf(id));
  timeline.prepend(pageOf('0', '1'), '1');
  expect(timeline.messages.map(({ id }) => id)).toEqual(['0', '1', '2', '3']);
});

test('drops an older page when live messages have pushed out what follows it', () => {
  const timeline = createTimeline(2);
  timeline.beginLoading();
  timeline.finishLoading(pageOf('2', '3'));
  timeline.append(messageOf('4'));
  timeline.prepend(pageOf('0', '1'), '2');
  expect({ ids: timeline.messages.map(({ id }) => id), start: timeline.start }).toEqual({
    ids: ['3', '4'],
    start: '3',
  });
});
