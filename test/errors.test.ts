import { expect, test } from 'vitest';
import { conflict, SignalboxError, unavailable } from '../src/errors.ts';

test('an error keeps its cause apart from the fields that clients see', () => {
  const cause = new Error('disk full');
  const error = new SignalboxError('PAYLOAD_TOO_LARGE', 'data: is too large.', {
    cause,
    field: 'data',
    limit: 9,
  });
  expect(error.cause).toBe(cause);
  expect(error.fields).toEqual({ field: 'data', limit: 9 });
  expect(unavailable('The log cannot be written.', cause)).toMatchObject({ cause, fields: {} });
});

test('an error without a cause has no property `cause`', () => {
  expect(Object.hasOwn(conflict('The channel exists already.', { version: 2 }), 'cause')).toBe(false);
  expect(Object.hasOwn(unavailable('The service is restarting.'), 'cause')).toBe(false);
});
