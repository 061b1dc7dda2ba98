import t from 'tap';
import { FailoverCompletion } from '../../../lib/bridge/failover/completion.ts';
import { rememberMasters } from '../../../lib/bridge/memories.ts';
import { at, record, view } from '../plan/world.ts';

t.test('the end of maintenance begins no second completion beside one that is under way', async (t) => {
  let entered = 0;
  const completion = new FailoverCompletion({
    steering: {
      // Held by another bridge until the end of the test.
      enter: async (_name: string, signal: AbortSignal) => {
        entered += 1;
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      },
    },
    maintenance: { whyNot: () => undefined },
    onReport: () => {},
  } as unknown as ConstructorParameters<typeof FailoverCompletion>[0]);
  t.teardown(() => completion.stop());
  const promoted = record('B', { epoch: 6, phase: 'promoted', replicas: [at('A')], previous: at('A') });
  const views = [2, 3].map((n) => view(n, 'A', 5, { replicas: [{ address: at('B'), condition: 'up' }] }));
  const consider = () =>
    completion.consider('m', { record: promoted, views, knownSentinels: 3, role: 'master' }, rememberMasters()('m'));
  consider();
  completion.maintenanceEnded('m');
  consider();
  t.equal(entered, 1);
});
