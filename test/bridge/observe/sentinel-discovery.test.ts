import t from 'tap';
import { KnownPeers } from '../../../lib/bridge/observe/known-peers.ts';
import { discover, mastersChangedBy } from '../../../lib/bridge/observe/sentinel-discovery.ts';
import type { SentinelMember } from '../../../lib/bridge/observe/sentinel-member.ts';
import { QuestionQueue } from '../../../lib/client/question-queue.ts';
import type { SentinelPeer } from '../../../lib/client/sentinel-shapes.ts';
import { SwitchmasterError } from '../../../lib/errors.ts';

const masters = [
  { name: 'm', others: 1, isChanged: false },
  { name: 'n', others: 1, isChanged: false },
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
      questions: new QuestionQueue(8),
      learnTilt: async () => false,
      learnRefusal: () => true,
    } as unknown as SentinelMember;
    const ignore = () => {};
    const result = await discover(member, {
      matches: () => true,
      named: [],
      changed: new Set(),
      onMaster: ignore,
      onChange: ignore,
      onTilt: ignore,
      onPeers: ignore,
      onError: ignore,
    });
    t.equal(result, expected);
    t.strictSame(learned, expected === 'asked' ? ['m', 'n'] : []);
  });
}

/** A Sentinel of two masters with one other Sentinel, as a test changes it. */
function open() {
  const world = { masters: async () => masters, others: async (_name: string) => [peer('10.0.0.9')], isSilent: false };
  const asked: string[] = [];
  const member = {
    link: {
      up: true,
      masters: () => world.masters(),
      others: (name: string) => {
        asked.push(name);
        return world.others(name);
      },
    },
    get isSilent() {
      return world.isSilent;
    },
    names: undefined,
    learnNames: () => [],
    peers: new KnownPeers(),
    questions: new QuestionQueue(8),
    learnTilt: async () => false,
    learnRefusal: () => true,
  } as unknown as SentinelMember;
  const handedOn: string[] = [];
  const changes: string[] = [];
  /** Returns the masters whose Sentinels were asked for. */
  const ask = async (changed: ReadonlySet<string> | 'all' = new Set()) => {
    asked.length = 0;
    handedOn.length = 0;
    const onPeers = (peers: readonly SentinelPeer[]) => handedOn.push(...peers.map(({ address }) => address.host));
    const calls = {
      onMaster: () => {},
      onChange: (name: string) => changes.push(name),
      onTilt: () => {},
      onPeers,
      onError: () => {},
    };
    await discover(member, { matches: () => true, named: [], changed, ...calls });
    return asked.join();
  };
  return { world, ask, handedOn, changes, known: () => [...member.peers.addresses].join() };
}

function peer(host: string): SentinelPeer {
  return { address: { host, port: 26379 }, id: undefined };
}

t.test(
  'the other Sentinels of a master are asked for if their number is another one, or if an event names it',
  async (t) => {
    const { world, ask, known } = open();
    t.equal(await ask(), 'm,n', 'at first');
    t.equal(await ask(), '');
    t.equal(await ask(new Set(['n'])), 'n', 'an event');
    t.equal(await ask('all'), 'm,n');
    t.equal(await ask(), '');
    t.equal(known(), '10.0.0.9:26379');
    world.masters = async () => [{ name: 'm', others: 2, isChanged: false }];
    t.equal(await ask(), 'm', 'another number');
    world.masters = async () => [];
    t.equal(await ask(), '');
    t.equal(known(), '', 'of masters that it does not monitor any more');
  },
);

t.test('a master of which it says something else than before is handed on', async (t) => {
  const { world, ask, changes } = open();
  await ask();
  t.strictSame(changes, []);
  world.masters = async () => masters.map((master) => ({ ...master, isChanged: master.name === 'n' }));
  await ask();
  t.strictSame(changes, ['n']);
});

for (const [what, changed] of [
  ['an event', new Set(['n'])],
  ['a reconnection', 'all'],
] as const) {
  t.test(
    `after ${what}, a master is asked for until the answer comes, and its Sentinels count meanwhile`,
    async (t) => {
      const { world, ask, known, handedOn } = open();
      await ask('all');
      world.others = async (name) => (name === 'n' ? late() : [peer('10.0.0.9')]);
      await ask(changed);
      t.equal(known(), '10.0.0.9:26379');
      t.equal(await ask(), 'n', 'only the one without an answer');
      world.others = async () => [peer('10.0.0.10')];
      t.equal(await ask(), 'n');
      t.ok(handedOn.includes('10.0.0.10'));
      t.equal(await ask(), '');
    },
  );
}

t.test('a change is not forgotten if the Sentinel does not say which masters it monitors', async (t) => {
  const { world, ask } = open();
  await ask('all');
  world.masters = late;
  t.equal(await ask(new Set(['n'])), '');
  world.masters = async () => masters;
  t.equal(await ask(), 'n');
});

t.test('an answer to a question from before a change does not show the change', async (t) => {
  const { world, ask, known } = open();
  await ask('all');
  const answer = Promise.withResolvers<SentinelPeer[]>();
  world.others = () => answer.promise;
  const earlier = ask(new Set(['n']));
  await new Promise(setImmediate);
  world.others = late;
  await ask(new Set(['n']));
  answer.resolve([peer('10.0.0.9')]);
  await earlier;
  world.others = async () => [peer('10.0.0.10')];
  t.equal(await ask(), 'n');
  t.match(known(), '10.0.0.10:26379');
});

t.test('a Sentinel whose messages may not be received is asked each time', async (t) => {
  const { world, ask } = open();
  world.isSilent = true;
  await ask();
  t.equal(await ask(), 'm,n');
});

t.test('every known Sentinel is handed on each time: one that left as a duplicate may be needed again', async (t) => {
  const { ask, handedOn } = open();
  await ask('all');
  t.equal(await ask(), '');
  t.strictSame(handedOn, ['10.0.0.9']);
});

for (const [event, master, expected] of [
  ['+sentinel', 'm', new Set(['m'])],
  ['+reboot', undefined, 'all'],
  ['+sentinel-address-switch', 'm', 'all'],
  ['+sdown', 'm', undefined],
] as const) {
  t.test(`whose other Sentinels ${event} may change`, async (t) => {
    t.strictSame(mastersChangedBy({ event, master, target: undefined, message: '' }), expected);
  });
}
