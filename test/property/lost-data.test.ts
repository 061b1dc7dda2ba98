import fc from 'fast-check';
import t from 'tap';
import { trustRecords } from '../../lib/consul/trust-records.ts';
import { lastValue } from '../../lib/consul/watch-state.ts';
import { CatalogWatches } from '../../lib/consul/watches.ts';
import { recordIn } from '../../lib/model/record.ts';
import { LosableConsul, type Source } from './losable-consul.ts';
import { parameters } from './parameters.ts';

interface Change {
  readonly kind: 'write' | 'forget' | 'lose' | 'return' | 'other' | 'edit';
  readonly name: string;
}

type Step = Change | { readonly kind: 'answer' | 'fail'; readonly source: Source };

const name = fc.constantFrom('a', 'b', 'c');
const source = fc.constantFrom<Source>('records', 'keys', 'services');
const changes = fc.record({ kind: fc.constantFrom('write', 'forget', 'lose', 'return', 'other', 'edit'), name });
const reads = fc.record({ kind: fc.constantFrom('answer', 'answer', 'answer', 'fail'), source });
const story = fc.array(fc.oneof(changes, reads) as fc.Arbitrary<Step>, { minLength: 5, maxLength: 40 });

/** A Consul with two masters, and a renderer that follows them. */
function follow(consul: LosableConsul) {
  const limits = { burst: 1_000_000, backoff: { initialMs: 1, maxMs: 1 } };
  const watches = new CatalogWatches({ client: consul, limits });
  const trusted = trustRecords({ watches, environment: undefined });
  const records = trusted.watches.follow({ kind: 'key-tree', prefix: 'redis/record/' }, () => undefined);
  const names = () => (lastValue(records.state) ?? []).flatMap((entry) => recordIn(entry)?.name ?? []);
  const close = async () => {
    records.release();
    await watches.close();
  };
  return { names, close, remember: trusted.rememberRecords, isRead: () => lastValue(records.state) !== undefined };
}

t.test(
  'no order of reads takes a loss of data for a removal, and what is in Consul is followed in the end',
  async (t) => {
    const property = fc.asyncProperty(story, async (steps) => {
      const consul = new LosableConsul();
      for (const one of ['a', 'b']) consul.write(one);
      const renderer = follow(consul);
      try {
        await play(steps, { consul, renderer });
      } finally {
        await renderer.close();
      }
    });
    await fc.assert(property, parameters({ runs: 100 }));
    t.pass();
  },
);

t.test(
  'a daemon that restarts takes no loss of data for a removal, whenever it hears of its former records',
  async (t) => {
    const away = fc.array(
      fc.record({ kind: fc.constantFrom('write', 'lose', 'return', 'other'), name }) as fc.Arbitrary<Change>,
    );
    const property = fc.asyncProperty(away, story, fc.nat({ max: 6 }), async (changes, steps, at) => {
      const consul = new LosableConsul();
      for (const one of ['a', 'b']) consul.write(one);
      const { former } = consul;
      for (const change of changes) consul[change.kind](change.name);
      const renderer = follow(consul);
      try {
        for (const step of steps.slice(0, at)) await take(step, consul);
        renderer.remember(former);
        await play(steps.slice(at), { consul, renderer, followed: ['a', 'b'] });
      } finally {
        await renderer.close();
      }
    });
    await fc.assert(property, parameters({ runs: 100 }));
    t.pass();
  },
);

async function play(
  steps: readonly Step[],
  play: {
    readonly consul: LosableConsul;
    readonly renderer: ReturnType<typeof follow>;
    /** By a daemon before. */
    readonly followed?: readonly string[];
  },
): Promise<void> {
  const { consul, renderer, followed = [] } = play;
  if (followed.length === 0) await consul.answerAll();
  /** Masters that were followed once. */
  const known = new Set([...followed, ...renderer.names()]);
  for (const step of steps) {
    await take(step, consul);
    if (!renderer.isRead()) continue;
    const now = renderer.names();
    for (const one of now) known.add(one);
    const gone = [...known].filter((one) => !now.includes(one) && !consul.removed.has(one));
    if (gone.length > 0) throw new Error(`${gone} left the file after ${JSON.stringify(step)}`);
  }
  await consul.answerAll();
  const missing = [...consul.names].filter((one) => !renderer.names().includes(one));
  if (missing.length > 0) throw new Error(`${missing} are in Consul and not followed`);
}

async function take(step: Step, consul: LosableConsul): Promise<void> {
  // A record that somebody deletes before its keys have reached the renderer counts as removed. After a fall they are read twice.
  for (let i = 0; step.kind === 'edit' && i < 2; i += 1) await consul.answer('keys');
  if ('source' in step) await consul[step.kind](step.source);
  else consul[step.kind](step.name);
}
