import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { Server } from 'socket.io';
import { listen } from './announce-port.ts';

/** A socket.io room, over WebSocket only, without HTTP polling. */
const server = createServer();
const io = new Server(server, { transports: ['websocket'], serveClient: false });

io.on('connection', (socket) => {
  socket.on('join', (room: string, done: () => void) => {
    void socket.join(room);
    done();
  });
  socket.on('publish', (room: string, { event, data }: { event: string; data: unknown }) => {
    io.to(room).emit('message', { id: randomUUID(), event, publishedAt: new Date().toISOString(), data });
  });
});

listen(server);
