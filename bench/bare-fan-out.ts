// The minimal program that publishes, for bench/endpoint.ts to compare with: a server that confirms every request, and on a
// message of its parent writes one text to each connection in a plain loop.
import { createServer, type Socket } from 'node:net';

const sockets = new Set<Socket>();
const server = createServer((socket) => {
  socket.setNoDelay(true);
  sockets.add(socket);
  socket.on('error', () => socket.destroy());
  socket.on('close', () => sockets.delete(socket));
  socket.on('data', () => socket.write('+OK\r\n'));
});
process.on('message', (text: string) => {
  for (const socket of sockets) socket.write(text);
});
process.on('disconnect', () => process.exit());
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.send?.(typeof address === 'object' ? address?.port : undefined);
});
