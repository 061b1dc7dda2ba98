import type { SentinelView } from '../../../lib/model/sentinel.ts';
import { at, record, view } from './world.ts';

/** The record before the failover from A to B, and the promoted one after it. */
export const five = record('A', { epoch: 5 });
export const promoted = record('B', { epoch: 6, phase: 'promoted', previous: at('A') });

/** A Sentinel that leads the failover of epoch 6 from A to B; the bridge heard all its messages. */
export function leader(changes: Partial<SentinelView> = {}): SentinelView {
  return view(1, 'A', 5, {
    condition: 'failover',
    promoting: at('B'),
    promotion: 'ordered',
    election: { epoch: 6, selected: at('B') },
    replicas: ['B', 'C'].map((letter) => ({ address: at(letter), condition: 'up' as const })),
    ...changes,
  });
}
