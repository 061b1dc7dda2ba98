import type { FollowMode } from '../../lib/bridge/plan/decision.ts';
import { calm, missed } from './scenarios.ts';
import type { Budget, Letter, State } from './state.ts';

/** What is explored: the start, the faults and the depth. */
export interface Case {
  readonly name: string;
  readonly start: State;
  readonly follow: FollowMode;
  readonly settleEvery: number;
}

interface Sketch {
  readonly name: string;
  readonly budget: Partial<Budget>;
  readonly nodes?: readonly Letter[];
  readonly bridges?: number;
  readonly from?: 'calm' | 'missed';
  readonly follow?: FollowMode;
}

/** Small enough for every run of the tests. */
export const short: readonly Case[] = [
  {
    name: 'an order whose leader may give up, and Consul may be lost',
    budget: { elections: 1, aborts: 1, consulOutages: 1 },
  },
  { name: 'an order whose leader may die', budget: { elections: 1, sentinelDeaths: 1 } },
  {
    name: 'a failover that was missed, and the next one heard in part',
    budget: { elections: 1, deafness: 1, blindLooks: 1 },
    from: 'missed' as const,
  },
  { name: 'a bridge that restarts in the middle', budget: { elections: 1, aborts: 1, bridgeDeaths: 1 } },
  {
    name: 'an announcement, whose leader may die or give up',
    budget: { elections: 1, sentinelDeaths: 1, aborts: 1 },
    follow: 'announcement' as const,
  },
].map((sketch) => draw(sketch, 60));

/** These take minutes and gigabytes. */
export const full: readonly Case[] = [
  {
    name: 'two elections, a dead node that returns, a leader that gives up',
    budget: { elections: 2, aborts: 1, nodeDeaths: 1, returns: 1 },
  },
  { name: 'two elections, a dead Sentinel, a dead node', budget: { elections: 2, sentinelDeaths: 1, nodeDeaths: 1 } },
  {
    name: 'two replicas, two elections, a leader that gives up',
    budget: { elections: 2, aborts: 1 },
    nodes: ['A', 'B', 'C'] as const,
  },
  {
    name: 'two bridges, a dead Sentinel, a leader that gives up',
    budget: { elections: 1, sentinelDeaths: 1, aborts: 1 },
    bridges: 2,
  },
  {
    name: 'two bridges, Consul lost, a leader that gives up',
    budget: { elections: 1, aborts: 1, consulOutages: 1 },
    bridges: 2,
  },
  {
    name: 'Consul lost, a bridge restarted, a dead Sentinel',
    budget: { elections: 1, sentinelDeaths: 1, consulOutages: 1, bridgeDeaths: 1 },
  },
  {
    name: 'a missed failover, a bridge that hears and sees in part',
    budget: { elections: 1, sentinelDeaths: 1, deafness: 1, blindLooks: 1 },
    from: 'missed' as const,
  },
  { name: 'two elections by their announcements', budget: { elections: 2 }, follow: 'announcement' as const },
  {
    name: 'announcements only, two elections, a dead node that returns',
    budget: { elections: 2, nodeDeaths: 1, returns: 1 },
    follow: 'announcement' as const,
  },
  {
    name: 'announcements only, two bridges, a dead Sentinel',
    budget: { elections: 1, sentinelDeaths: 1, aborts: 1 },
    bridges: 2,
    follow: 'announcement' as const,
  },
].map((sketch) => draw(sketch, 10));

function draw(sketch: Sketch, settleEvery: number): Case {
  const { name, budget, nodes = ['A', 'B'], bridges = 1, from = 'calm', follow = 'promotion' } = sketch;
  return { name, start: (from === 'calm' ? calm : missed)({ nodes, bridges, budget }), follow, settleEvery };
}
