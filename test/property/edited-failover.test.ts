import fc from 'fast-check';
import t from 'tap';
import { compareVersions } from '../../lib/model/epoch.ts';
import type { Edit, Event, Scale } from './events.ts';
import { parameters } from './parameters.ts';
import { edit, Story } from './story.ts';

/* An edit by hand at any moment of a failover: bridges follow the failover as early as without it. No time passes. */

const failover: readonly Event[] = [
  { kind: 'elect', s: 0, voters: [1, 2], selected: 'B' },
  { kind: 'advance', s: 0 },
  { kind: 'advance', s: 0 },
  { kind: 'advance', s: 0 },
  { kind: 'greet', s: 0, to: 1 },
  { kind: 'greet', s: 0, to: 2 },
];

/** Every bridge hears the leader, and then asks everybody. */
const runs = (bridges: number): readonly Event[] =>
  Array.from({ length: bridges }, (_, b): readonly Event[] => [
    { kind: 'push', b },
    { kind: 'follow', b, s: 0 },
    { kind: 'act', b },
    { kind: 'run', b },
  ]).flat();

const anyEdit: fc.Arbitrary<Edit> = fc.record({
  what: fc.constantFrom('record', 'record-and-key', 'key', 'service'),
  epochs: fc.constantFrom(-1, 0, 1, 100),
  generations: fc.constantFrom(0, 1),
  node: fc.constantFrom('A', 'B', 'D'),
  phase: fc.constantFrom('promoted', 'confirmed'),
});

/** The master of the record after each step of a failover; `edited` happens before the step `at`. */
async function play(
  scale: Scale,
  edited?: { readonly at: number; readonly by: Edit },
): Promise<Story & { steps: string[] }> {
  const story = Object.assign(new Story(scale), { steps: [] as string[] });
  await story.play([...runs(scale.bridges), ...runs(scale.bridges)]);
  for (const [i, step] of failover.entries()) {
    const { record } = story.consul;
    if (edited?.at === i && record !== undefined) {
      story.history.push(edit(story.consul, record, edited.by));
      await story.play(runs(scale.bridges));
    }
    await story.play([step, ...runs(scale.bridges)]);
    story.steps.push(`${story.consul.record?.master.host} ${story.consul.record?.phase}`);
  }
  return story;
}

/** Whether the bridges repair it at once: what is not newer is repaired after a pause, and no renderer follows it. */
function isNewer({ what, epochs, generations }: Edit): boolean {
  if (what === 'key' || what === 'service') return false;
  return compareVersions({ generation: generations, epoch: epochs + 1 }, { generation: 0, epoch: 1 }) > 0;
}

for (const follow of ['promotion', 'announcement'] as const) {
  const scale: Scale = { sentinels: 3, bridges: 2, follow };
  t.test(`an edit by hand at any moment of a failover delays no bridge that follows the ${follow}`, async (t) => {
    const plain = await play(scale);
    const moved = plain.steps.findIndex((step) => step !== plain.steps[0]);
    t.ok(moved > 0, 'the failover moves the record');
    const check = async (by: Edit, at: number) => {
      const story = await play(scale, { at, by });
      for (const [i, step] of plain.steps.entries()) {
        if (i < at || (!isNewer(by) && (i < moved || at > moved))) continue;
        if (story.steps[i] !== step) story.fail(`${story.steps[i]} in place of ${step} after step ${i}`);
      }
    };
    const at = fc.constantFrom(...failover.keys());
    await fc.assert(fc.asyncProperty(anyEdit, at, check), parameters({ runs: 60 }));
  });
}
