import t from 'tap';
import { pairCases } from './cases.ts';
import { isExcused, playCase, type SharingHost, type SharingStage } from './failure.ts';
import { guideAddresses } from './guide.ts';

t.test('a busy machine excuses a move, and no lost write', async (t) => {
  t.equal(isExcused({ lost: 0, slowChecks: 0 }), false);
  t.equal(isExcused({ lost: 0, slowChecks: 2 }), true);
  t.equal(isExcused({ lost: 1, slowChecks: 2 }), false);
});

/** Two hosts of which the second one gets the address, without a network. At each of both, a check ends by its limit meanwhile. */
function makeStage() {
  let holder = 'lb1';
  let slow = 0;
  const hosts = ['lb1', 'lb2'].map(
    (name): SharingHost => ({
      name,
      has: (address) => address === guideAddresses.shared && name === holder,
    }),
  ) as [SharingHost, SharingHost];
  const acknowledged = {
    written: 0,
    get size() {
      return ++this.written;
    },
  };
  const writer = { acknowledged, errors: [], longestGap: () => 0, lostAt: async () => ({ lost: [], of: 1 }) };
  const stage = { hosts, writer, master: {}, untilWell: async () => undefined, slowChecks: () => slow };
  const begin = async () => {
    holder = 'lb2';
    slow = 1;
  };
  return { stage: stage as unknown as SharingStage<SharingHost>, begin };
}

t.test('a check that the failure itself holds up is no sign of a busy machine', async (t) => {
  for (const [holdsUpChecks, count] of [
    [{}, 2],
    [{ holdsUpChecks: true }, 1],
  ] as const) {
    const { stage, begin } = makeStage();
    const failure = {
      name: 'it hangs',
      expected: 'moves',
      ...holdsUpChecks,
      begin,
      end: async () => undefined,
    } as const;
    const { slowChecks } = await playCase(stage, { failure, end: 'leave', observedMs: 0 });
    t.equal(slowChecks, count);
  }
  t.strictSame(
    pairCases.filter((one) => one.holdsUpChecks).map(({ name }) => name),
    ['HAProxy hangs'],
  );
});
