import { existsSync, readFileSync } from 'node:fs';
import t from 'tap';
import { waitFor } from '../../sandbox/condition.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { makeFolder, putRecord, startRendering } from '../support/rendering.ts';

const sandbox = await Sandbox.openFor(t, { name: 'thin-consul' });
const mine = await sandbox.consul();

const read = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8') : undefined);
const quick = { minMs: 1, maxMs: 5 };

t.test(
  'a Consul that comes back thin changes nothing until it knows as much again, across restarts of the daemon too',
  async (t) => {
    // A Consul that lost its state counts from the beginning. The test must read it before its index reaches the old one.
    for (let i = 0; i < 50; i += 1) await mine.putKey(`filler/${i}`, '');
    for (const name of ['m1', 'm2', 'm3']) await putRecord(mine, { name });
    const folder = makeFolder(t);
    const spec = { template: '{{#each redisMasters}}{{name}} {{address}}\n{{/each}}', wait: quick };
    const first = startRendering(t, { consul: mine, folder, specs: [spec] });
    const { destination } = await first.until('current');
    const before = read(destination);
    await mine.restart();
    await putRecord(mine, { name: 'm1' });
    const untilThin = (rendering: typeof first) =>
      waitFor('the thin catalog to be seen', () => rendering.state().lastOutcome, {
        until: (outcome) =>
          outcome?.kind === 'held' && /m2 stays .* \(Consul lost its data.*m3 stays/.test(outcome.summary),
      });
    await untilThin(first);
    t.equal(read(destination), before);
    await first.stop();
    const second = startRendering(t, { consul: mine, folder, specs: [spec] });
    await untilThin(second);
    t.equal(read(destination), before);
    await putRecord(mine, { name: 'm1', epoch: 9, master: { host: '10.0.0.9', port: 9 } });
    await waitFor('the master that is back to move', () => read(destination), {
      until: (text) => text?.startsWith('m1 10.0.0.9:9\nm2 ') === true,
    });
    await second.until('current');
    await second.stop();
    const moved = read(destination);
    const third = startRendering(t, { consul: mine, folder, specs: [spec] });
    await untilThin(third);
    t.equal(read(destination), moved, 'a text that was written meanwhile does not prove the thin catalog');
    await putRecord(mine, { name: 'm2' });
    await putRecord(mine, { name: 'm3', epoch: 7, master: { host: '10.0.0.7', port: 7 } });
    const follows = (text: string | undefined) => text?.includes('m3 10.0.0.7:7') === true;
    await waitFor('the file to follow', () => read(destination), { until: follows });
  },
);
