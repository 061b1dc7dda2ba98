import { readFileSync } from 'node:fs';
import t from 'tap';
import { formatRecord } from '../../../lib/model/record.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { makeRecord } from '../../template/world.ts';
import { putRecord } from '../support/rendering.ts';

/* What people and tools leave among the records: it affects only the master that it names. */

const sandbox = await Sandbox.openFor(t, { name: 'field-records' });
const consul = await sandbox.consul();
const moved = (name: string, host: string, epoch = 4) =>
  putRecord(consul, { name, epoch, master: { host, port: 6379 }, replicas: [] });
const strange = {
  'redis/record/': '',
  'redis/record/shard1/.lock': '',
  'redis/record/notes': 'do not delete',
  'redis/record/array': '[]',
  'redis/record/shard1.bak': formatRecord(makeRecord({ name: 'shard1', master: { host: '10.9.9.9', port: 1 } })),
};

t.test('keys that hold no record are ignored and reported once, and every master is followed', async (t) => {
  await Promise.all([moved('shard1', '10.0.0.1'), moved('shard2', '10.0.0.2')]);
  for (const [key, value] of Object.entries(strange)) await consul.putKey(key, value);
  const destination = sandbox.path('masters.conf');
  const source = sandbox.write('masters.conf.hbs', '{{#each redisMasters}}{{name}}={{host}}\n{{/each}}');
  const daemon = await sandbox.localDaemon({
    config: { consul: { address: consul.url }, templates: [{ source, destination, header: false }] },
  });
  const untilText = (text: string) =>
    waitFor(`the file to hold ${text}`, async () => readFileSync(destination, 'utf8'), {
      until: (now) => now === text,
    });
  await untilText('shard1=10.0.0.1\nshard2=10.0.0.2\n');
  await moved('shard1', '10.0.0.3', 5);
  await untilText('shard1=10.0.0.3\nshard2=10.0.0.2\n');
  const logged = daemon.logLines().filter(({ msg }) => msg === 'key is no record');
  t.strictSame(logged.map(({ key }) => key).toSorted(), Object.keys(strange).toSorted(), 'each once');
  const health = async () => {
    const { reasons } = (await daemon.get('/v1/health')).body as {
      reasons: { code: string; subject: { name: string } }[];
    };
    return reasons.filter(({ code }) => code === 'record-unreadable').map(({ subject }) => subject.name);
  };
  const unreadable = ['redis/record/array', 'redis/record/notes', 'redis/record/shard1.bak'];
  await waitFor('health', health, { until: (keys) => keys.toSorted().join() === unreadable.join() });

  // The record of one master is damaged: the file keeps that master, and follows the other.
  await consul.putKey('redis/record/shard2', 'damaged');
  await waitFor('health to name the key', health, { until: (keys) => keys.includes('redis/record/shard2') });
  await moved('shard1', '10.0.0.4', 6);
  await untilText('shard1=10.0.0.4\nshard2=10.0.0.2\n');

  for (const key of Object.keys(strange)) await consul.delete(`/v1/kv/${key}`);
  await moved('shard2', '10.0.0.5', 7);
  await untilText('shard1=10.0.0.4\nshard2=10.0.0.5\n');
  await waitFor('health', health, { until: (keys) => keys.length === 0 });
});
