import type { MasterState, TemplateState } from '../../lib/http/views.ts';
import { exampleMaster, exampleTemplate } from '../http/views.ts';

/** The address of the `index`th master, or of its replica. */
export function addressOf(index: number, role: 'master' | 'replica' = 'master') {
  return { host: `10.${role === 'master' ? 1 : 2}.${Math.floor(index / 200)}.${(index % 200) + 1}`, port: 6379 };
}

/** A master with one replica and three Sentinels, all of one mind, changed by `over`. */
export function masterAt(index: number, over: Partial<MasterState> = {}): MasterState {
  const name = over.name ?? `shard${index}`;
  const [master, replica] = [addressOf(index), addressOf(index, 'replica')];
  const [vote] = exampleMaster.sentinels;
  if (exampleMaster.record === null || vote === undefined) throw new Error('the example has no record');
  const record = { ...exampleMaster.record, name, master, replicas: [replica] };
  const sentinels = [1, 2, 3].map((number) => ({
    ...vote,
    address: { host: `10.9.0.${number}`, port: 26379 },
    id: `sentinel-${number}`,
    state: 'seen',
    epoch: record.epoch,
    master,
    flags: ['up'],
    replicas: [{ address: replica, condition: 'up' as const }],
  }));
  return { ...exampleMaster, name, record, sentinels, check: { status: 'passing', output: 'Sentinel: up' }, ...over };
}

export function templateOf(over: Partial<TemplateState> = {}): TemplateState {
  return { ...exampleTemplate, state: 'current', writtenAt: '2026-01-01T00:00:00.000Z', ...over };
}
