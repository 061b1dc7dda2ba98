// What links.test.ts examines, in a network of its own. Prints the results as JSON.
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { waitFor, within } from './condition.ts';
import { Links } from './links.ts';
import { connectFrom } from './source-address.ts';

const [here, there, neighbour] = ['127.9.0.1', '127.9.0.2', '127.9.0.3'];
const port = 7001;
const silenceMs = 300;

class EchoLine {
  heard = '';
  failure: string | undefined;
  readonly socket: Socket;

  constructor(host: string) {
    this.socket = connect({ host, port });
    this.socket.on('data', (data) => {
      this.heard += String(data);
    });
    this.socket.on('error', (error: NodeJS.ErrnoException) => {
      this.failure = error.code;
    });
  }

  async ask(word: string): Promise<string> {
    this.socket.write(word);
    const answer = await waitFor('an answer', () => this.failure ?? this.heard.includes(word), {
      timeoutMs: silenceMs,
    }).catch(() => 'no answer');
    return answer === true ? 'answered' : String(answer);
  }
}

const sources: (string | undefined)[] = [];
const listeners = [there, neighbour].map((host) =>
  createServer((socket) => {
    sources.push(socket.remoteAddress);
    socket.on('error', () => socket.destroy());
    socket.pipe(socket);
  }).listen(port, host),
);
await Promise.all(listeners.map((listener) => once(listener, 'listening')));
connectFrom(here);
const links = await Links.open();
const between = { from: [here], to: [there] };
const seen: Record<string, string | undefined> = {};

const [line, other] = [new EchoLine(there), new EchoLine(neighbour)];
seen.beforeTheCut = await line.ask('a');
seen.source = sources[0];
const heal = await links.cut({ ...between, direction: 'both', manner: 'drop' });
seen.dropped = await line.ask('b');
seen.neighbour = await other.ask('b');
const lost = new EchoLine(there);
seen.dropping = (await within(once(lost.socket, 'connect'), silenceMs)) === undefined ? 'no connection' : 'connected';
lost.socket.destroy();
await heal();
await waitFor('the late answer', () => line.heard === 'ab');
const healBack = await links.cut({ from: [there], to: [here], direction: 'one way', manner: 'drop' });
seen.otherWayCut = await line.ask('c');
await healBack();
await waitFor('the late answer', () => line.heard === 'abc');
seen.healed = `${await line.ask('d')}, late ones too`;
const healGone = await links.cut({ ...between, direction: 'one way', manner: 'unreachable' });
const gone = new EchoLine(there);
seen.unreachable = await waitFor('the answer of the network', () => gone.failure);
await healGone();
await links.cut({ ...between, direction: 'both', manner: 'reset' });
seen.reset = await line.ask('e');
const refused = new EchoLine(there);
seen.refused = await waitFor('the refusal', () => refused.failure);
process.stdout.write(JSON.stringify(seen), () => process.exit(0));
