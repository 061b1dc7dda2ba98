import t from 'tap';
import { agreedReplicas, masterOpinion, replicaOpinions } from '../../lib/model/check-opinion.ts';
import type { ReplicaView, RoleAnswer, SentinelView } from '../../lib/model/sentinel.ts';
import { at, role, view } from '../bridge/plan/world.ts';

type Condition = SentinelView['condition'];
const three = (...conditions: readonly Condition[]) =>
  conditions.map((condition, i) => view(i + 1, 'A', 5, { condition, linked: condition === 'up' }));

const masters: readonly (readonly [string, readonly SentinelView[], RoleAnswer | undefined, string | undefined])[] = [
  ['all see it up', three('up', 'up', 'up'), undefined, 'passing Sentinel: up'],
  ['one sees it down', three('up', 's_down', 'up'), undefined, 'warning Sentinel: subjectively down'],
  [
    'all see it down, each for itself',
    three('s_down', 's_down', 's_down'),
    undefined,
    'warning Sentinel: subjectively down',
  ],
  [
    'one knows that enough see it down',
    three('o_down', 's_down', 'up'),
    undefined,
    'warning Sentinel: objectively down',
  ],
  ['one fails over', three('failover', 'o_down', 'o_down'), undefined, 'warning Sentinel: failing over'],
  ['it answers as a replica', three('up', 'up', 'up'), role('A', 'replica'), 'critical answers ROLE as a replica'],
  ['another answers as a replica', three('up', 'up', 'up'), role('B', 'replica'), 'passing Sentinel: up'],
  ['we do not reach it, but Sentinels do', three('up', 'up', 'up'), role('A', 'unreachable'), 'passing Sentinel: up'],
  [
    'nobody reaches it',
    [view(1, 'A', 6, { linked: false })],
    role('A', 'unreachable'),
    'critical Sentinel decided for it, but it cannot be reached',
  ],
  [
    'just switched: no link yet, and it answers',
    [view(1, 'A', 6, { linked: false })],
    role('A', 'master'),
    'passing Sentinel: up',
  ],
  ['the Sentinels speak of another', [view(1, 'B', 5), view(2, 'B', 5)], undefined, undefined],
  ['nobody can be asked', [], undefined, undefined],
];
for (const [when, views, answer, expected] of masters) {
  t.test(`the check of a master: ${when}`, async (t) => {
    const opinion = masterOpinion(at('A'), { views, role: answer });
    t.equal(opinion && `${opinion.status} ${opinion.output}`, expected);
  });
}

t.test('the check of a master that has just become a replica', async (t) => {
  const turned = { views: three('up', 'up', 'up'), role: role('A', 'replica'), asReplica: 'for-now' } as const;
  t.equal(masterOpinion(at('A'), turned)?.status, 'warning');
  t.equal(masterOpinion(at('A'), { ...turned, unmonitored: 'none' })?.status, 'critical', 'nobody fails it over');
});

for (const [answer, expected] of [
  ['master', 'warning no Sentinel monitors it'],
  ['replica', 'critical answers ROLE as a replica'],
  ['unreachable', 'critical no Sentinel monitors it, and it does not answer'],
] as const) {
  t.test(`the check of a master that no Sentinel monitors, and that is ${answer}`, async (t) => {
    const opinion = masterOpinion(at('A'), { views: [], role: role('A', answer), unmonitored: 'none' });
    t.equal(opinion && `${opinion.status} ${opinion.output}`, expected);
  });
}

for (const [stage, expected] of [
  ['under-way', 'warning Sentinel: failing over'],
  ['no-candidate', 'critical Sentinel: objectively down, and no replica can be promoted'],
  ['given-up', 'critical Sentinel: objectively down, and the failover failed'],
  ['overdue', 'critical Sentinel: the failover takes longer than failover-timeout'],
] as const) {
  t.test(`the check of a master whose failover is ${stage}`, async (t) => {
    const observed = { views: three('failover', 'o_down', 'o_down'), role: role('A', 'unreachable') };
    const of = (letter: string) => masterOpinion(at('A'), { ...observed, outage: { master: at(letter), stage } });
    const opinion = of('A');
    t.equal(opinion && `${opinion.status} ${opinion.output}`, expected);
    t.match(of('B'), { status: 'warning' }, 'the outage of another master');
  });
}

const answering = 'warning Sentinel: the failover cannot succeed, but the master answers';
const doubted = 'warning Sentinel: the failover cannot succeed, and a bridge does not reach the master';
for (const [what, seen, expected] of [
  ['answers as a master', { role: 'master' }, answering],
  ['has just stopped answering', { role: 'unreachable', held: 'answering', reported: 'for-now' }, answering],
  ['has not answered for long', { role: 'unreachable', held: 'answering', reported: 'too-long' }, doubted],
  ['did not answer before either', { role: 'unreachable', held: 'down' }, doubted],
  ['has just been asked about', { role: 'unreachable', held: 'answering-doubted', reported: 'for-now' }, doubted],
  ['nobody reaches', { role: 'unreachable', held: 'answering-doubted', reported: 'too-long' }, 'critical'],
  ['another bridge asks about, and that answers', { role: 'master', held: 'answering-doubted' }, answering],
  ['answers as a replica', { role: 'replica', held: 'answering' }, 'critical'],
] as const) {
  for (const stage of ['no-candidate', 'given-up', 'overdue'] as const) {
    t.test(`the check of a master whose failover is ${stage}, and that ${what}`, async (t) => {
      const { held, ...more } = { held: undefined, ...seen };
      const opinion = masterOpinion(at('A'), {
        views: three('o_down', 'o_down', 'o_down'),
        ...more,
        role: role('A', seen.role),
        outage: { master: at('A'), stage },
        ...(held === undefined ? {} : { held: { status: 'warning', output: '', code: held } as const }),
      });
      t.match(`${opinion?.status} ${opinion?.output}`, expected);
    });
  }
}

t.test('bridges that judge the outage differently do not contradict each other while the master answers', async (t) => {
  const outage = { master: at('A'), stage: 'under-way' } as const;
  const observed = { views: three('o_down', 'o_down', 'o_down'), role: role('A', 'master'), outage };
  const held = (code: 'answering' | 'answering-doubted' | 'down') => ({
    held: { status: 'warning', output: '', code } as const,
  });
  t.equal(masterOpinion(at('A'), { ...observed, ...held('answering') })?.code, 'answering');
  t.equal(masterOpinion(at('A'), { ...observed, ...held('down') })?.code, 'down');
  const unreached = { ...observed, role: role('A', 'unreachable') };
  for (const reported of ['for-now', 'too-long'] as const) {
    const opinion = masterOpinion(at('A'), { ...unreached, ...held('answering-doubted'), reported });
    t.equal(opinion?.code, 'answering-doubted', `the question stays: ${reported}`);
  }
  t.equal(masterOpinion(at('A'), { ...unreached, ...held('down') })?.code, 'down');
});

t.test('the check of a master that nobody reaches, and that no Sentinel has judged yet', async (t) => {
  const views = [view(1, 'A', 6, { linked: false })];
  const opinion = masterOpinion(at('A'), { views, role: role('A', 'unreachable'), unreached: 'for-now' });
  t.match(opinion, { status: 'warning', output: 'nobody reaches it, and no Sentinel has judged it yet' });
});

type Seen = ReplicaView['condition'];
const replicas: readonly (readonly [string, readonly (Seen | undefined)[], string | undefined])[] = [
  ['all see it up', ['up', 'up', 'up'], 'passing Sentinel: up'],
  ['one has no link to it yet', ['up', 'unlinked', 'up'], 'passing Sentinel: up'],
  ['nobody has a link to it yet', ['unlinked', 'unlinked', 'unlinked'], 'unknown'],
  ['one sees it down', ['up', 's_down', 'up'], 'warning Sentinel: subjectively down'],
  ['most see it down', ['s_down', 's_down', 'up'], 'critical Sentinel: down'],
  ['its link to the master is down', ['link-down', 'link-down', 'up'], 'warning its link to the master is down'],
  ['one sees its link down', ['link-down', 'up', 'up'], 'passing Sentinel: up'],
  ['it says that it is a master', ['master', 'up', 'up'], 'critical answers as a master'],
  ['most do not list it', ['up', undefined, undefined], undefined],
  ['one does not list it', ['up', 'up', undefined], 'passing Sentinel: up'],
];
for (const [when, seen, expected] of replicas) {
  t.test(`the check of a replica: ${when}`, async (t) => {
    const views = seen.map((condition, i) =>
      view(i + 1, 'A', 5, { replicas: condition === undefined ? [] : [{ address: at('B'), condition }] }),
    );
    const [found] = replicaOpinions(views, at('A'));
    t.equal(found && (found.opinion ? `${found.opinion.status} ${found.opinion.output}` : 'unknown'), expected);
  });
}

t.test('replicas are those that most Sentinels of this master list, sorted', async (t) => {
  const lists = (...letters: string[]) => ({
    replicas: letters.map((letter) => ({ address: at(letter), condition: 'up' as const })),
  });
  const views = [
    view(1, 'A', 5, lists('C', 'B')),
    view(2, 'A', 5, lists('B', 'C', 'D')),
    view(3, 'B', 4, lists('A', 'D')),
    view(4, 'B', 4, lists('A', 'D')),
  ];
  t.strictSame(agreedReplicas(views, at('A')), [at('B'), at('C')]);
  t.strictSame(agreedReplicas(views, at('B')), [at('A'), at('D')]);
  t.strictSame(agreedReplicas(views, at('E')), []);
});

t.test('the output of a check has no counts or times, so that it does not wake watchers needlessly', async (t) => {
  for (const [, views, answer] of masters)
    t.notMatch(masterOpinion(at('A'), { views, role: answer })?.output ?? '', /\d/);
});
