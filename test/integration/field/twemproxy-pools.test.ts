import { readFileSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { waitFor } from '../../sandbox/condition.ts';
import { redisCli } from '../../sandbox/resp.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { command, makeFolder, putRecord, startRendering } from '../support/rendering.ts';

const sandbox = await Sandbox.openFor(t, { name: 'twemproxy-pools' });
const [consul, cache, store] = await Promise.all([
  sandbox.consul(),
  sandbox.redis({ name: 'cache1', replicas: 0 }),
  sandbox.redis({ name: 'store1', replicas: 0 }),
]);

/** The answer of a Redis behind a socket to one inline command. */
function ask(path: string, line: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path }, () => socket.write(`${line}\r\n`));
    socket.setEncoding('utf8').once('data', (text) => resolve(String(text)));
    socket.once('data', () => socket.destroy()).once('error', reject);
  });
}

t.test('twemproxy on a socket, with pools over subsets of the masters', async (t) => {
  await putRecord(consul, { name: 'cache1', master: cache.master.address, replicas: [] });
  await putRecord(consul, { name: 'store1', master: store.master.address, replicas: [] });
  const folder = makeFolder(t);
  const socket = join(sandbox.folder, 'store.sock');
  const listen = await sandbox.address();
  const destination = join(folder, 'nutcracker.yml');
  const proxy = await sandbox.nutcracker({ configFile: destination, listen, start: 'later' });
  const pools = {
    cache: { listen: `${listen.host}:${listen.port}`, masters: ['cache*'] },
    store: { listen: `${socket} 0666`, masters: ['store1'], timeout: 500 },
  };
  const spec = {
    name: 'nutcracker.yml',
    template: 'twemproxy.yml.hbs',
    vars: { pools },
    check: { argv: ['nutcracker', '--test-conf', '--conf-file', '{{file}}'] },
    reload: command(...proxy.restartCommand),
    verify: {
      probes: [
        { kind: 'redis', address: socket },
        { kind: 'tcp', address: socket },
        { kind: 'redis', address: listen },
      ],
    },
  } as const;
  const rendering = startRendering(t, { consul, folder, specs: [spec], resyncMs: 60_000 });
  await rendering.until('current');
  t.equal(statSync(socket).mode & 0o777, 0o666);
  await redisCli(listen, ['SET', 'where', 'cache']);
  t.match(await ask(socket, '*3\r\n$3\r\nSET\r\n$5\r\nwhere\r\n$5\r\nstore'), /^\+OK/);
  t.equal(await cache.master.command('GET', 'where'), 'cache');
  t.equal(await store.master.command('GET', 'where'), 'store');
  await putRecord(consul, { name: 'other', master: store.master.address, replicas: [] });
  const warned = await waitFor('the warning', () => rendering.state(), {
    until: ({ warnings }) => warnings.length > 0,
  });
  t.match(warned.warnings, ['The master "other" is in no pool of vars.pools.']);
  t.match(readFileSync(destination, 'utf8'), /^store:\n {2}listen: ".*store\.sock 0666"\n/m);
});
