import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';
import { listen } from './announce-port.ts';

/** The minimum that a server on `ws` can do: it writes each message of a publisher to every other socket, as a shared buffer. */
const server = createServer();
const wss = new WebSocketServer({ server, perMessageDeflate: false });

wss.on('connection', (socket, request) => {
  if (request.url !== '/publish') return;
  wss.clients.delete(socket);
  socket.on('message', (message) => {
    for (const client of wss.clients) client.send(message, { binary: false });
  });
});

listen(server);
