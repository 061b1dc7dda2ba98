import t from 'tap';
import { type ConsulChange, ConsulCondition } from '../../lib/daemon/consul-condition.ts';
import { SwitchmasterError } from '../../lib/errors.ts';

const refused = new SwitchmasterError('consul-unreachable', 'connection refused');
const silent = {
  kind: 'silent',
  silentMs: 4_000,
  error: new SwitchmasterError('consul-unreachable', 'timeout'),
} as const;

type Step = (condition: ConsulCondition) => void;
const ends = (condition: ConsulCondition) => condition.agentBecomes({ kind: 'answering' });
const hangs = (condition: ConsulCondition) => condition.agentBecomes(silent);
const fails = (condition: ConsulCondition) => condition.queriesFail(refused);
const reads = (condition: ConsulCondition) => condition.queriesSucceed();

/** Steps with the second at which each happens; then the state, what was reported, and the outage in seconds at second 20. */
const cases: readonly (readonly [
  title: string,
  steps: readonly (readonly [number, Step])[],
  since: string | undefined,
  changes: readonly string[],
  outage: number,
])[] = [
  ['nothing happens', [], undefined, [], 0],
  ['the agent hangs, since it was asked', [[10, hangs]], '00:06', ['lost'], 14],
  [
    'the agent hangs for 12 s',
    [
      [10, hangs],
      [18, ends],
    ],
    undefined,
    ['lost', 'back after 12000'],
    12,
  ],
  [
    'queries fail, and the agent is silent later',
    [
      [2, fails],
      [10, hangs],
    ],
    '00:02',
    ['lost'],
    18,
  ],
  [
    'queries fail and are answered',
    [
      [2, fails],
      [5, reads],
    ],
    undefined,
    ['lost', 'back after 3000'],
    3,
  ],
  [
    'it is back only when both are',
    [
      [2, fails],
      [10, hangs],
      [12, ends],
    ],
    '00:02',
    ['lost'],
    18,
  ],
  [
    'a new connection begins without an outage',
    [
      [2, fails],
      [4, (one) => one.reset()],
    ],
    undefined,
    ['lost', 'back after 2000'],
    2,
  ],
  [
    'two outages add up',
    [
      [2, fails],
      [3, reads],
      [9, hangs],
      [11, ends],
    ],
    undefined,
    ['lost', 'back after 1000', 'lost', 'back after 6000'],
    7,
  ],
];

for (const [title, steps, since, expected, outage] of cases) {
  t.test(title, async (t) => {
    let nowMs = 0;
    const changes: ConsulChange[] = [];
    const condition = new ConsulCondition({ onChange: (change) => changes.push(change), now: () => nowMs });
    for (const [second, step] of steps) {
      nowMs = second * 1_000;
      step(condition);
    }
    nowMs = 20_000;
    t.strictSame(
      changes.map((change) => (change.kind === 'lost' ? 'lost' : `back after ${change.lostMs}`)),
      expected,
    );
    t.equal(condition.outageMs, outage * 1_000);
    t.match(
      condition.state,
      since === undefined ? { kind: 'reached' } : { kind: 'lost', since: `1970-01-01T00:${since}.000Z` },
    );
  });
}
