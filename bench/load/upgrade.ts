/** The HTTP request of a WebSocket upgrade. A constant key suffices, since the response is not verified. */
export function upgradeRequestOf(port: number, path: string, subprotocol: string | undefined): string {
  const lines = [
    `GET ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: c2lnbmFsYm94LWJlbmNoIQ==',
    ...(subprotocol === undefined ? [] : [`Sec-WebSocket-Protocol: ${subprotocol}`]),
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}
