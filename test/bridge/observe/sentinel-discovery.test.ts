import t from 'tap';
import { discover } from '../../../lib/bridge/observe/sentinel-discovery.ts';
import type { SentinelMember } from '../../../lib/bridge/observe/sentinel-member.ts';
import { SwitchmasterError } from '../../../lib/errors.ts';

const late = async () => {
  throw new SwitchmasterError('redis-timeout', 'it did not answer in time');
};

for (const [what, changes, expected] of [
  ['answers everything', {}, 'asked'],
  ['does not say which masters it monitors', { masterNames: late }, 'unanswered'],
  ['reports its masters, but is slow to name the Sentinels of many masters', { others: late }, 'asked'],
] as const) {
  t.test(`whether a Sentinel is asked again soon that ${what}`, async (t) => {
    const learned: string[] = [];
    const member = {
      link: { up: true, masterNames: async () => ['m', 'n'], others: async () => [], ...changes },
      names: undefined,
      learnNames: (names: readonly string[]) => {
        learned.push(...names);
        return names;
      },
      learnPeers: () => {},
      learnTilt: async () => false,
      learnRefusal: () => true,
    } as unknown as SentinelMember;
    const ignore = () => {};
    const result = await discover(member, {
      matches: () => true,
      named: [],
      onMaster: ignore,
      onTilt: ignore,
      onPeers: ignore,
      onError: ignore,
    });
    t.equal(result, expected);
    t.strictSame(learned, expected === 'asked' ? ['m', 'n'] : []);
  });
}
