import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';
import { listen } from './listening.ts';

/** The least that a server on `ws` can do: what a publisher sends goes to every other socket, as one shared buffer. */
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
