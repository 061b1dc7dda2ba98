import fc from 'fast-check';
import t from 'tap';
import type { FollowMode } from '../../lib/bridge/plan/decision.ts';
import { type Event, type Scale, storyOf } from './events.ts';
import { parameters } from './parameters.ts';
import { Story } from './story.ts';

const { numRuns: runs } = parameters({ runs: 12 });

// For the long form.
t.setTimeout(3_1200_000);

const scales: readonly Scale[] = (['announcement', 'promotion'] as const).flatMap((follow: FollowMode) => [
  { sentinels: 3, bridges: 3, follow },
  { sentinels: 5, bridges: 2, follow },
]);

async function check(scale: Scale, events: readonly Event[]): Promise<void> {
  const story = new Story(scale);
  await story.play(events);
  await story.settle();
}

for (const scale of scales) {
  const who = `${scale.bridges} bridges that follow the ${scale.follow} of ${scale.sentinels} Sentinels`;
  for (const kind of ['quiet', 'vandals', 'restarts'] as const) {
    const where = { quiet: '', vandals: ', while people delete and edit', restarts: ', while they are restarted' }[
      kind
    ];
    t.test(`${who} publish only what was elected, never an older record, and settle${where}`, async (t) => {
      await fc.assert(
        fc.asyncProperty(storyOf(scale, kind), (events) => check(scale, events)),
        parameters({ runs: 12 }),
      );
      t.pass(`${runs} stories`);
    });
  }
}

t.test('rebuilt Sentinels lead to exactly one new generation', async (t) => {
  const scale: Scale = { sentinels: 3, bridges: 3, follow: 'announcement' };
  const rest: readonly Event[] = [0, 1, 2].flatMap((b) => [{ kind: 'run', b } as const, { kind: 'run', b } as const]);
  const failover: readonly Event[] = [
    { kind: 'elect', s: 0, voters: [1, 2], selected: 'B' },
    ...[1, 2, 3].map(() => ({ kind: 'advance', s: 0 }) as const),
    { kind: 'greet', s: 0, to: 1 },
    { kind: 'greet', s: 0, to: 2 },
    { kind: 'demote' },
  ];
  await fc.assert(
    fc.asyncProperty(storyOf(scale, 'quiet'), fc.constantFrom('A' as const, 'B' as const), async (before, node) => {
      const story = new Story(scale);
      await story.play([...rest, ...failover, ...before]);
      await story.settle();
      const generation = story.consul.record?.generation ?? 0;
      await story.play([{ kind: 'rebuild', node }]);
      await story.settle();
      const after = story.consul.record;
      if (after?.generation !== generation + 1 || after.epoch !== 0) story.fail(`not generation ${generation + 1}`);
    }),
    parameters({ runs: 12 }),
  );
  t.pass(`${runs} stories`);
});
