import t from 'tap';
import { chooseManner, type MannerReading } from '../../../lib/bridge/failover/manner.ts';
import { SwitchmasterError } from '../../../lib/errors.ts';
import { at } from '../plan/world.ts';

const sentinel = { host: '10.0.1.1', port: 26379 };
const permitted = 'ERR syntax error';
const denied = "NOPERM User switchmaster has no permissions to run the 'failover' command";
const unknown = "ERR unknown command 'FAILOVER', with args beginning with: 'ABORT' 'x'";

const rows: readonly (readonly [
  string,
  {
    readonly knows?: MannerReading['knows'];
    readonly master?: string | undefined;
    readonly replica?: string | undefined;
  },
  'coordinated' | RegExp,
])[] = [
  ['Sentinel and every server know it', {}, 'coordinated'],
  ['Sentinel is older than Valkey 9', { knows: false }, /^the Sentinel 10\.0\.1\.1:26379 does not know coordinated/],
  [
    'Sentinel does not answer in time',
    { knows: new SwitchmasterError('redis-timeout', 'it got no answer') },
    /does not say whether it knows coordinated failovers: it got no answer/,
  ],
  ['the master is older than Redis 6.2', { master: unknown }, /^10\.0\.0\.1:6301 does not know FAILOVER/],
  ['a replica is older than Redis 6.2', { replica: unknown }, /^10\.0\.0\.2:6302 does not know FAILOVER/],
  ['the bridge could not abort it at the master', { master: denied }, /^10\.0\.0\.1:6301 does not permit FAILOVER/],
  ['the bridge could not abort it at a replica, which has nothing to abort', { replica: denied }, 'coordinated'],
  ['the master does not answer', { master: undefined }, /^10\.0\.0\.1:6301 does not answer/],
  ['a replica does not answer', { replica: undefined }, /^10\.0\.0\.2:6302 does not answer/],
  [
    'the master refuses it as a node of a cluster',
    { master: 'ERR FAILOVER not allowed in cluster mode.' },
    /refuses FAILOVER: ERR/,
  ],
];

for (const [when, given, expected] of rows) {
  t.test(`the manner of a planned failover: ${when}`, async (t) => {
    const { knows = true, master = permitted, replica = permitted } = given;
    const says = { master, replica, ...given };
    const manner = chooseManner({
      sentinel,
      knows,
      master: at('A'),
      servers: [
        { address: at('A'), says: says.master },
        { address: at('B'), says: says.replica },
      ],
    });
    if (expected === 'coordinated') t.strictSame(manner, { kind: 'coordinated' });
    else t.match(manner, { kind: 'paused', why: expected });
  });
}

t.test('a Sentinel that does not know it decides alone, without the servers', async (t) => {
  t.match(chooseManner({ sentinel, knows: false, master: at('A'), servers: [] }), { kind: 'paused' });
});
