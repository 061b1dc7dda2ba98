import t from 'tap';
import { KnownPeers } from '../../../lib/bridge/observe/known-peers.ts';
import { discover } from '../../../lib/bridge/observe/sentinel-discovery.ts';
import type { SentinelMember } from '../../../lib/bridge/observe/sentinel-member.ts';
import { SwitchmasterError } from '../../../lib/errors.ts';

const masters = [
  { name: 'm', others: 1 },
  { name: 'n', others: 1 },
];

const late = async () => {
  throw new SwitchmasterError('redis-timeout', 'it did not answer in time');
};

for (const [what, changes, expected] of [
  ['answers everything', {}, 'asked'],
  ['does not say which masters it monitors', { masters: late }, 'unanswered'],
  ['reports its masters, but is slow to name the Sentinels of many masters', { others: late }, 'asked'],
] as const) {
  t.test(`whether a Sentinel is asked again soon that ${what}`, async (t) => {
    const learned: string[] = [];
    const member = {
      link: { up: true, masters: async () => masters, others: async () => [], ...changes },
      names: undefined,
      learnNames: (names: readonly string[]) => {
        learned.push(...names);
        return names;
      },
      peers: new KnownPeers(),
      learnTilt: async () => false,
      learnRefusal: () => true,
    } as unknown as SentinelMember;
    const ignore = () => {};
    const result = await discover(member, {
      matches: () => true,
      named: [],
      changed: new Set(),
      onMaster: ignore,
      onTilt: ignore,
      onPeers: ignore,
      onError: ignore,
    });
    t.equal(result, expected);
    t.strictSame(learned, expected === 'asked' ? ['m', 'n'] : []);
  });
}

t.test(
  'the other Sentinels of a master are asked for again if their number is another one, or if an event names it',
  async (t) => {
    const asked: string[] = [];
    const world = { masters };
    const member = {
      link: {
        up: true,
        masters: async () => world.masters,
        others: async (name: string) => {
          asked.push(name);
          return [{ address: { host: '10.0.0.9', port: 26379 }, id: undefined }];
        },
      },
      names: undefined,
      learnNames: () => [],
      peers: new KnownPeers(),
      learnTilt: async () => false,
      learnRefusal: () => true,
    } as unknown as SentinelMember;
    const ignore = () => {};
    const ask = async (changed: ReadonlySet<string> | 'all') => {
      asked.length = 0;
      const calls = { onMaster: ignore, onTilt: ignore, onPeers: ignore, onError: ignore };
      await discover(member, { matches: () => true, named: [], changed, ...calls });
      return asked.join();
    };
    t.equal(await ask(new Set()), 'm,n', 'at first');
    t.equal(await ask(new Set()), '');
    t.equal(await ask(new Set(['n'])), 'n', 'an event');
    t.equal(await ask('all'), 'm,n');
    t.strictSame([...member.peers.addresses], ['10.0.0.9:26379']);
    world.masters = [{ name: 'm', others: 2 }];
    t.equal(await ask(new Set()), 'm', 'another number');
    world.masters = [];
    t.equal(await ask(new Set()), '');
    t.strictSame([...member.peers.addresses], [], 'of masters that it does not monitor any more');
  },
);
