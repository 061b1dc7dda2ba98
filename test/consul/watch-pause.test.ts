import t from 'tap';
import { query, start } from './script.ts';

t.test(
  'after a change, what follows from it has some milliseconds before the next request, but not with a folder of keys',
  async (t) => {
    const { script, watches } = start(t, { yieldMs: 60_000 });
    const service = { kind: 'service', service: 'web' } as const;
    watches.follow(service, () => undefined);
    (await script.next()).answer([], 70);
    (await script.next()).answer(['changed'], 71);
    watches.follow(query, () => undefined);
    (await script.next()).answer(['x'], 70);
    (await script.next()).answer(['y'], 71);
    const { query: next, options } = await script.next();
    t.match({ next, index: options.index }, { next: query, index: 71n });
    t.equal(script.count, 5);
  },
);
