import t from 'tap';
import type { MonitoredMaster, Monitoring } from '../../lib/model/provisioning.ts';
import type { SentinelVoter } from '../../lib/model/sentinel.ts';
import { type ProvisioningSituation, planProvisioning } from '../../lib/provisioner/plan.ts';

/* Whose majority must answer before the provisioner acts: that of the Sentinels that monitor the master. */

const address = { host: '10.0.0.1', port: 6379 };
const desired = { name: 'm', address, quorum: 1, options: {} };
const known: MonitoredMaster = { name: 'm', address, quorum: 2, state: 'idle', options: {} };

function at(host: string, masters: readonly MonitoredMaster[]): Monitoring {
  return { sentinel: { host, port: 26379 }, masters };
}

function plan(over: Partial<ProvisioningSituation>): readonly string[] | string {
  const note = { settingsHash: undefined, sentinels: [] };
  const hidden = { settings: {}, state: 'none' } as const;
  const base = { name: 'm', desired, note, record: undefined, monitoring: [], knownSentinels: 0, voters: [], hidden };
  const made = planProvisioning({ ...base, ...over });
  return made.kind === 'wait' ? made.summary : made.steps.map(({ kind, sentinel }) => `${kind} at ${sentinel.host}`);
}

const voter = (host: string, state: SentinelVoter['state']): SentinelVoter => ({
  address: { host, port: 26379 },
  state,
});
const unasked = (...hosts: readonly string[]) => hosts.map((host) => voter(host, 'unasked'));
const monitors = (...hosts: readonly string[]) => hosts.map((host) => voter(host, 'monitors'));
const own = [at('s1', [known]), at('s2', [known])];

for (const { title, over, gives } of [
  {
    title: 'Sentinels of other masters that are down do not delay a master with two Sentinels of its own',
    over: { monitoring: own, knownSentinels: 6 },
    gives: ['set at s1', 'set at s2'],
  },
  {
    title: 'a Sentinel that answers and does not monitor the master gets it, and has no say',
    over: { monitoring: [...own, at('s3', [])], voters: monitors('s4'), knownSentinels: 6 },
    gives: ['set at s1', 'set at s2', 'monitor at s3'],
  },
  {
    title: 'never reached ones that its own Sentinels list count',
    over: { monitoring: own, voters: unasked('s4', 's5'), knownSentinels: 5 },
    gives: /only 2 of 4 Sentinels of m answer/,
  },
  {
    title: 'most of its own Sentinels are down, and most of all are not',
    over: {
      monitoring: [at('s1', [known]), at('s4', []), at('s5', [])],
      voters: monitors('s2', 's3'),
      knownSentinels: 5,
    },
    gives: /only 1 of 3 Sentinels of m answer/,
  },
  {
    title: 'all of its own Sentinels are down',
    over: { monitoring: [at('s4', []), at('s5', []), at('s6', [])], voters: monitors('s1', 's2'), knownSentinels: 5 },
    gives: /only 0 of 2 Sentinels of m answer/,
  },
  {
    title: 'a master that nobody monitors needs most of all Sentinels',
    over: {
      monitoring: [at('s1', []), at('s2', []), at('s3', [])],
      voters: unasked('s4', 's5', 's6'),
      knownSentinels: 6,
    },
    gives: /only 3 of 6 Sentinels answer/,
  },
  {
    title: 'a master that one Sentinel monitors needs most of all Sentinels, also of those that do not monitor it',
    over: { monitoring: [at('s1', [known]), at('s2', [])], voters: unasked('s3'), knownSentinels: 3 },
    gives: ['set at s1', 'monitor at s2'],
  },
  {
    title: 'a removed master goes from those that answer',
    over: { monitoring: own, knownSentinels: 6, desired: undefined },
    gives: ['remove at s1', 'remove at s2'],
  },
])
  t.test(title, async (t) => {
    const planned = plan(over);
    if (gives instanceof RegExp) t.match(planned, gives);
    else t.strictSame(planned, gives);
  });
