import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { waitFor } from '../../sandbox/condition.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { makeFolder, publish, startRendering } from '../support/rendering.ts';

const sandbox = await Sandbox.openFor(t, { name: 'field-files' });
const consul = await sandbox.consul({ name: 'consul-files' });

const ports = { shard1: 16379, shard2: 16380 };

t.test('a third master never gets the port of another one', async (t) => {
  const folder = makeFolder(t);
  const check = { argv: ['haproxy', '-c', '-f', '{{file}}'] };
  const spec = { name: 'haproxy.cfg', template: 'haproxy.cfg.hbs', vars: { ports }, check } as const;
  const place = (name: string, host: string) => publish(consul, { name, master: { host, port: 6379 }, replicas: [] });
  await place('shard1', '10.0.0.1');
  await place('shard2', '10.0.0.2');
  const rendering = startRendering(t, { consul, folder, specs: [spec], resyncMs: 60_000 });
  await rendering.until('current');
  await place('shard10', '10.0.0.3');
  const warned = await waitFor('the warning', () => rendering.state(), {
    until: ({ warnings }) => warnings.length > 0,
  });
  t.match(warned.warnings, ['The master "shard10" is left out: set vars.ports.shard10 to a port of its own.']);
  const read = () => readFileSync(join(folder, 'haproxy.cfg'), 'utf8');
  const file = await waitFor('the new file', read, { until: (text) => text.includes('shard10') });
  t.strictSame(file.match(/^(frontend|# No port for).*|bind .*/gm), [
    '# No port for master "shard10" in vars.ports: it has no listener here.',
    'frontend shard1',
    'bind 127.0.0.1:16379',
    'frontend shard2',
    'bind 127.0.0.1:16380',
  ]);
});
