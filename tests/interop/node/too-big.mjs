// Sends a message that is too big, with `ws`, and prints how the connection ended and after how many milliseconds.

import WebSocket from 'ws';

const socket = new WebSocket(process.env.SIGNAL_URL);
socket.on('open', () => {
  const began = performance.now();
  socket.on('close', (code) => console.log(JSON.stringify({ code, milliseconds: performance.now() - began })));
  socket.send('x'.repeat(Number(process.env.MESSAGE_BYTES)));
});
