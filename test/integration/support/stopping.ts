import type { ConsulClient } from '../../../lib/client/consul.ts';
import type { CatalogWatches } from '../../../lib/consul/watches.ts';
import type { Part } from '../../../lib/part.ts';
import type { TestLike } from '../../sandbox/sandbox.ts';

/** Stops a part of the daemon, and then what it uses: at the end of the test, or earlier, and once. */
export function stopWith(
  t: Pick<TestLike, 'teardown'>,
  running: {
    readonly part: Pick<Part, 'stop' | 'endOrders'>;
    /** What the part uses. */
    readonly maintenance?: Pick<Part, 'stop'>;
    readonly watches: CatalogWatches;
    readonly client: ConsulClient;
  },
): (options?: { readonly graceMs: number }) => Promise<void> {
  const { part, maintenance, watches, client } = running;
  let stopped: Promise<void> | undefined;
  const stop = (options = { graceMs: 1_000 }) => {
    stopped ??= Promise.resolve(part.endOrders?.(options))
      .then(() => part.stop(options))
      .then(() => maintenance?.stop(options))
      .then(() => watches.close())
      .then(() => client.close());
    return stopped;
  };
  t.teardown(() => stop());
  return stop;
}
