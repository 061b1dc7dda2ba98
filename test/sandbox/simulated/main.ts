// One process that speaks enough RESP for Sentinel to monitor it as thousands of masters and replicas. It holds no data. argv:
// a file with a list of servers, each {"host","port","master"?}, and the host and port of the control connection, which takes
// PING, STOP host port and START host port, as RESP.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { ErrorReply, encodeReply, ok, type Reply, SimpleString } from '../../../lib/endpoint/resp/reply.ts';
import type { Address } from '../../../lib/model/address.ts';
import { Instances } from './instance.ts';
import { readRequests } from './requests.ts';

interface Listed extends Address {
  readonly master?: Address;
}

const [file = '', host = '', port = ''] = process.argv.slice(2);
const instances = new Instances();
const listed = JSON.parse(readFileSync(file, 'utf8')) as readonly Listed[];
await Promise.all(listed.map(({ master, ...address }) => instances.add(address, master).start()));

createServer((socket) => {
  socket.on('error', () => socket.destroy());
  readRequests(socket, async (requests) => {
    for (const words of requests) socket.write(encodeReply(await control(words), 2));
  });
}).listen({ host, port: Number(port) });

async function control([name, at = '', port = '']: readonly string[]): Promise<Reply> {
  if (name === 'PING') return new SimpleString('PONG');
  const instance = instances.at({ host: at, port: Number(port) });
  if (instance === undefined) return new ErrorReply(`ERR no server at ${at}:${port}`);
  if (name === 'STOP') instance.stop();
  else if (name === 'START') await instance.start();
  else return new ErrorReply(`ERR unknown command '${name}'`);
  return ok;
}
