import fc from 'fast-check';
import t from 'tap';
import {
  applyElectionMessage,
  type Elections,
  noElections,
  wonElection,
} from '../../../lib/bridge/observe/election.ts';
import { readEvent } from '../../../lib/client/sentinel-shapes.ts';

/** The state after these messages, each `channel payload`. */
function hear(lines: readonly string[], from: Elections = noElections): Elections {
  return lines.reduce((elections, line) => {
    const [channel = '', ...payload] = line.split(' ');
    return applyElectionMessage(elections, readEvent(channel, payload.join(' ')));
  }, from);
}

const one = 'master one 10.0.0.1 6301';
const two = 'master two 10.0.0.5 6305';
const begin = ['+new-epoch 6', `+try-failover ${one}`];
const vote = '+vote-for-leader 34079dcd4bfd309af693c3ac8cefe656b470744c 6';
const elected = [...begin, vote, `+elected-leader ${one}`, `+failover-state-select-slave ${one}`];
const replica = 'slave 10.0.0.2:6302 10.0.0.2 6302 @ one 10.0.0.1 6301';
const selected = [...elected, `+selected-slave ${replica}`];
const won = { epoch: 6, selected: { host: '10.0.0.2', port: 6302 }, replaced: { host: '10.0.0.1', port: 6301 } };

const streams: readonly (readonly [string, readonly string[], object | undefined])[] = [
  ['it begins, is elected, and selects', selected, won],
  [
    'it continues with the promotion',
    [
      ...selected,
      `+failover-state-send-slaveof-noone ${replica}`,
      `+failover-state-wait-promotion ${replica}`,
      `-role-change ${replica} new reported role is master`,
      `+promoted-slave ${replica}`,
      `+failover-state-reconf-slaves ${one}`,
    ],
    won,
  ],
  ['another Sentinel’s epoch comes meanwhile', [...selected, '+new-epoch 7'], won],
  ['nothing was said', [], undefined],
  ['it has not been elected yet', begin, undefined],
  ['it has not selected yet', elected, undefined],
  ['it was not heard from the beginning: no epoch', selected.slice(1), undefined],
  [
    'something came between the epoch and the try: not its epoch',
    ['+new-epoch 6', vote, ...selected.slice(1)],
    undefined,
  ],
  ['the try was not heard', [`+elected-leader ${one}`, `+selected-slave ${replica}`], undefined],
  ['the election was not heard', [...begin, `+selected-slave ${replica}`], undefined],
  ['it is not elected', [...begin, `-failover-abort-not-elected ${one}`], undefined],
  ['it finds no replica', [...elected, `-failover-abort-no-good-slave ${one}`], undefined],
  ['the replica does not answer', [...selected, `-failover-abort-slave-timeout ${one}`], undefined],
  ['it is over', [...selected, `+failover-end ${one}`], undefined],
  ['it ends by timeout, which is not its end yet', [...selected, `+failover-end-for-timeout ${one}`], won],
  ['it switched', [...selected, '+switch-master one 10.0.0.1 6301 10.0.0.2 6302'], undefined],
  ['it was reset', [...selected, `+reset-master ${one}`], undefined],
  ['it does not monitor it any more', [...selected, `-monitor ${one}`], undefined],
  [
    'it tries again, at a newer epoch',
    [...selected, `-failover-abort-slave-timeout ${one}`, '+new-epoch 8', ...selected.slice(1)],
    { ...won, epoch: 8 },
  ],
  ['the replica’s port is none', [...elected, '+selected-slave slave x 10.0.0.2 0 @ one 10.0.0.1 6301'], undefined],
  [
    'what was selected is no replica',
    [...elected, '+selected-slave sentinel x 10.0.0.2 6302 @ one 10.0.0.1 6301'],
    undefined,
  ],
  ['the epoch is no number', ['+new-epoch six', ...selected.slice(1)], undefined],
  ['the epoch is beyond what a number holds', ['+new-epoch 18446744073709551615', ...selected.slice(1)], undefined],
];
for (const [when, lines, expected] of streams) {
  t.test(`an election from a Sentinel’s messages: ${when}`, async (t) => {
    t.strictSame(wonElection(hear(lines), 'one'), expected);
    t.equal(wonElection(hear(lines), 'two'), undefined);
  });
}

t.test('two masters that fail over at once do not mix', async (t) => {
  const other = 'slave 10.0.0.6:6306 10.0.0.6 6306 @ two 10.0.0.5 6305';
  const all = hear([
    ...begin,
    '+new-epoch 7',
    `+try-failover ${two}`,
    `+elected-leader ${two}`,
    `+elected-leader ${one}`,
    `+selected-slave ${other}`,
    `+selected-slave ${replica}`,
  ]);
  t.strictSame(wonElection(all, 'one'), won);
  t.strictSame(wonElection(all, 'two'), {
    epoch: 7,
    selected: { host: '10.0.0.6', port: 6306 },
    replaced: { host: '10.0.0.5', port: 6305 },
  });
  const aborted = hear([`-failover-abort-slave-timeout ${one}`], all);
  t.equal(wonElection(aborted, 'one'), undefined);
  t.ok(wonElection(aborted, 'two'));
});

t.test('after a lost connection nothing is known until the next failover starts', async (t) => {
  t.equal(wonElection(hear([`+selected-slave ${replica}`], noElections), 'one'), undefined);
  t.strictSame(wonElection(hear(selected, hear(selected.slice(3))), 'one'), won);
});

t.test('with any messages, an election is won only by its four messages in their order', async (t) => {
  const noise = fc.constantFrom(
    ...selected,
    vote,
    '+new-epoch 7',
    `+try-failover ${two}`,
    `-failover-abort-not-elected ${one}`,
    `+sdown ${one}`,
    '+tilt #tilt mode entered',
    '',
    '+selected-slave',
    '+try-failover master',
  );
  fc.assert(
    fc.property(fc.array(noise, { maxLength: 30 }), (lines) => {
      const found = wonElection(hear(lines), 'one');
      if (found === undefined) return;
      const last = lines.lastIndexOf(`+selected-slave ${replica}`);
      const electedAt = lines.lastIndexOf(`+elected-leader ${one}`, last);
      const tryAt = lines.lastIndexOf(`+try-failover ${one}`, electedAt);
      t.ok(tryAt > 0 && electedAt > tryAt && last > electedAt, lines.join(' | '));
      t.equal(lines[tryAt - 1], `+new-epoch ${found.epoch}`);
      const since = lines.slice(tryAt + 1);
      t.notOk(since.some((line) => line.startsWith('-failover-abort') && line.includes(' one ')));
    }),
    { numRuns: 2_000 },
  );
});
