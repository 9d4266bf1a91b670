// The least that a relay on Node's `ws` can do, in the dialect of bench/epoll-relay: the first text
// of a client is its id, and each further one `TO\nTEXT`, of which TO gets TEXT. It trusts its
// clients, so it listens on loopback.

import { WebSocketServer } from 'ws';

const LINE_FEED = 10;
const sockets = new Map();

const server = new WebSocketServer({
  host: '127.0.0.1',
  port: Number(process.argv[2] ?? 0),
  maxPayload: 64 * 1024,
  clientTracking: false,
});

server.on('connection', (socket) => {
  let id;
  socket.on('message', (message) => {
    if (id === undefined) {
      id = message.toString();
      sockets.set(id, socket);
      return;
    }
    const end = message.indexOf(LINE_FEED);
    const to = message.latin1Slice(0, end);
    sockets.get(to)?.send(message.subarray(end + 1), { binary: false });
  });
  socket.on('error', () => socket.terminate());
  socket.on('close', () => sockets.delete(id));
});

server.on('listening', () => {
  console.log(`listening on ws://127.0.0.1:${server.address().port}/`);
});
