import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { Decisions } from '../../../lib/consul/decisions.ts';
import { waitFor } from '../../sandbox/condition.ts';
import type { ConsulAgent } from '../../sandbox/consul.ts';
import { makeRecord } from '../../template/world.ts';
import { command, makeFolder, putRecord, type SpecInput, sh, startRendering } from './rendering.ts';

export const sentinel = { host: '10.0.0.9', port: 26379 };
export const template = '{{#each redisMasters as |m|}}{{m.name}} {{m.address}}\n{{/each}}';
export const [oldHost, newHost, otherHost] = ['10.0.0.1', '10.0.0.2', '10.0.0.3'];
export const at = (host: string) => ({ host, port: 6379 });

/** A template whose check and reload note each run, and the decisions of a bridge. */
export async function startPrepared(t: Test, consul: ConsulAgent, over: Partial<SpecInput> = {}) {
  await consul.delete('/v1/kv/redis/record/shard2');
  await putRecord(consul, { master: at(oldHost), replicas: [at(newHost), at(otherHost)] });
  const folder = makeFolder(t);
  const decisions = new Decisions();
  const log = join(folder, 'log');
  const note = (what: string) => sh(`echo ${what} >> ${log}`);
  const spec: SpecInput = {
    template,
    check: { argv: note('check') },
    reload: command(...note('reload')),
    ...over,
  };
  const rendering = startRendering(t, { consul, folder, decisions, resyncMs: 60_000, specs: [spec] });
  await rendering.until('current');
  const destination = join(folder, 'a.conf');
  const scene = {
    ...{ rendering, decisions, destination },
    /** What the commands have noted since the last call. */
    commands: () => {
      const lines = existsSync(log) ? readFileSync(log, 'utf8') : '';
      const before = scene.seen;
      scene.seen = lines.length;
      return lines.slice(before).split('\n').slice(0, -1);
    },
    seen: 0,
    candidates: () => readdirSync(folder).filter((name) => name.startsWith('.a.conf.switchmaster-')),
    prepared: () =>
      rendering.reports.map(({ outcome }) => outcome.details?.prepared).filter((one) => one !== undefined),
    expect: async (host: string, epoch: number) => {
      await waitFor('no run', () => rendering.part.isIdle);
      decisions.expectations.begin({ name: 'shard1', master: at(host), epoch, sentinel });
      await waitFor('the preparation', () => ['ready', 'none'].includes(String(scene.prepared().at(-1))));
    },
    decide: async (host: string, epoch: number) => {
      decisions.announce(makeRecord({ master: at(host), epoch, phase: 'promoted' }));
      const text = () => readFileSync(destination, 'utf8');
      await waitFor('the file', text, { until: (now) => now.includes(`shard1 ${host}:6379\n`), timeoutMs: 10_000 });
      await rendering.until('current');
    },
  };
  scene.commands();
  return scene;
}
