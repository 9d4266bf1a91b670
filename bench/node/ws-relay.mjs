// The least that a relay on Node's `ws` can do, with the pairing of bench/epoll-relay: connections
// are numbered in the order in which they are accepted; 0 and 1 are peers, then 2 and 3. It reads
// no message and knows no client ids. It trusts its clients, so it listens on loopback.

import { WebSocketServer } from 'ws';

const sockets = [];

const server = new WebSocketServer({
  host: '127.0.0.1',
  port: Number(process.argv[2] ?? 0),
  maxPayload: 64 * 1024,
  clientTracking: false,
});

server.on('connection', (socket) => {
  const number = sockets.push(socket) - 1;
  socket.on('message', (message, isBinary) => {
    sockets[number ^ 1]?.send(message, { binary: isBinary });
  });
  socket.on('error', () => socket.terminate());
  socket.on('close', () => {
    sockets[number] = undefined;
  });
});

server.on('listening', () => {
  console.log(`listening on ws://127.0.0.1:${server.address().port}/`);
});
