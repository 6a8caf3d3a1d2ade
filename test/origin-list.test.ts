import { expect, test } from 'vitest';
import { parseOrigin } from '../src/origin-list.ts';
import { readConfig } from '../src/config.ts';

test.each([
  ['https://app.example', 'https://app.example'],
  ['https://app.example/', 'https://app.example'],
  ['HTTPS://App.Example', 'https://app.example'],
  ['https://app.example:443', 'https://app.example'],
  ['http://app.example:80/', 'http://app.example'],
  ['https://app.example:8443', 'https://app.example:8443'],
  ['"https://app.example"', 'https://app.example'],
  ["'https://app.example/'", 'https://app.example'],
  ['https://bücher.example', 'https://xn--bcher-kva.example'],
  ['http://[::1]:3000', 'http://[::1]:3000'],
  ['capacitor://localhost', 'capacitor://localhost'],
  ['*', '*'],
  ['null', 'null'],
])('SIGNALBOX_ORIGINS=%s allows %s', (value, origin) => {
  expect(readConfig({ SIGNALBOX_ORIGINS: value }).config.origins).toEqual([origin]);
});

test.each([
  ['app.example', /needs a scheme/],
  ['localhost:3000', /needs a scheme/],
  ['https://app.example/chat', /has a path/],
  ['https://app.example?x=1', /has a path/],
  ['https://*.example', /“\*” inside/],
  ['https://ada@app.example', /user name/],
  ['wss://app.example', /wss:\/\//],
  ['https://', /is not an origin/],
  ['https://app.example https://b.example', /is not an origin/],
  ['file:///', /has no host/],
])('SIGNALBOX_ORIGINS=%s ends the start with an error message', (value, sentence) => {
  const read = () => readConfig({ SIGNALBOX_ORIGINS: `https://other.example,${value}` });
  expect(read).toThrow(sentence);
  expect(read).toThrow(`SIGNALBOX_ORIGINS lists “${value}”, which matches no page: it `);
});

test('reads a host name with ü also once the function is optimized, unlike URL.canParse of Node 20', () => {
  for (let call = 0; call < 20_000; call++)
    if (parseOrigin('https://bücher.example') !== 'https://xn--bcher-kva.example')
      expect.fail(`call ${call}`);
});
