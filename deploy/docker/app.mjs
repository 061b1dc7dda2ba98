// An application. Each second it writes to a master by its name in Consul, and through the load balancers, and prints what it
// sees. It connects for each write, so that it always resolves the name again.
import { Resolver } from 'node:dns/promises';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

const { CONSUL_DNS, MASTER, LOAD_BALANCER } = process.env;
const timeoutMs = 1_000;
const resolver = new Resolver({ timeout: timeoutMs, tries: 1 });
resolver.setServers([CONSUL_DNS]);

for (let count = 1; ; count += 1) {
  const [direct, balanced] = await Promise.all([byName(count), byLoadBalancer(count)]);
  process.stdout.write(`${new Date().toISOString()} ${count}: ${direct.text} | ${balanced.text}\n`);
  if (direct.wrote && balanced.wrote) await writeFile('/tmp/wrote', String(count));
  await delay(1_000);
}

function byName(count) {
  return attempt(MASTER, async () => {
    const [{ name, port }] = await resolver.resolveSrv(MASTER);
    const [host] = await resolver.resolve4(name);
    return { host, port, via: ` is ${host}:${port}`, answer: await write({ host, port }, ['app:direct', count]) };
  });
}

function byLoadBalancer(count) {
  const [host, port] = LOAD_BALANCER.split(':');
  return attempt(LOAD_BALANCER, async () => ({
    via: '',
    answer: await write({ host, port: Number(port) }, [`app:${count % 100}`, count]),
  }));
}

async function attempt(name, action) {
  try {
    const { via, answer } = await action();
    return { wrote: answer === '+OK', text: `${name}${via}: ${answer}` };
  } catch (error) {
    return { wrote: false, text: `${name}: ${error.code ?? error.message}` };
  }
}

/** Sends SET, and resolves with the first line of the answer. */
function write({ host, port }, [key, value]) {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, timeout: timeoutMs });
    const end = (settle, result) => {
      socket.destroy();
      settle(result);
    };
    const words = ['SET', key, String(value)].map((word) => `$${word.length}\r\n${word}\r\n`);
    socket.on('connect', () => socket.write(`*${words.length}\r\n${words.join('')}`));
    socket.on('data', (data) => end(resolve, String(data).split('\r\n')[0]));
    socket.on('timeout', () => end(reject, new Error('no answer')));
    socket.on('error', (error) => end(reject, error));
    socket.on('close', () => reject(new Error('the connection was closed')));
  });
}
