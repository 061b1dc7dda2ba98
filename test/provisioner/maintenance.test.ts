import t from 'tap';
import type { ConsulClient } from '../../lib/client/consul.ts';
import type { Run } from '../../lib/loop/run.ts';
import type { ProvisioningStep } from '../../lib/model/provisioning.ts';
import type { ProvisioningSource } from '../../lib/provisioner/observe.ts';
import { Provisioner } from '../../lib/provisioner/reconciler.ts';

const sentinels = [1, 2, 3].map((last) => ({ host: `10.0.0.${last}`, port: 26379 }));
const desired = { name: 'm', address: { host: '10.0.0.9', port: 6379 }, quorum: 2, options: {} };

/** A provisioner whose Sentinels monitor nothing, and what it has sent to them and to Consul. */
function start(wanted: readonly (typeof desired)[], { isDeleted = false } = {}) {
  const sent: string[] = [];
  let maintenance: string | undefined;
  const source = {
    read: () => ({
      desired: new Map(wanted.map((one) => [one.name, one])),
      provisioned: new Map(),
      records: new Map(),
    }),
    monitoring: async () => sentinels.map((sentinel) => ({ sentinel, masters: [] })),
    configure: async ({ kind, name }: ProvisioningStep) => sent.push(`${kind} ${name}`),
  };
  const client = {
    transact: async () => sent.push('consul'),
    read: async () => ({ value: isDeleted ? undefined : {} }),
  };
  const provisioner = new Provisioner({
    client: client as unknown as ConsulClient,
    naming: { environment: undefined },
    source: source as unknown as ProvisioningSource,
    sentinels: () => sentinels,
    voters: () => [],
    matches: () => true,
    whyNot: () => maintenance,
    credentials: {},
  });
  const hints = [{ source: 'consul', event: 'changed', receivedMs: 0 }];
  const reconcile = (name: string) => provisioner.reconcile({ key: name, hints } as unknown as Run);
  const maintain = (why: string | undefined) => {
    maintenance = why;
  };
  return { sent, reconcile, maintain };
}

t.test('in maintenance the provisioner changes nothing, and reports what waits', async (t) => {
  const { sent, reconcile, maintain } = start([desired]);
  maintain('m is in maintenance: by ops, without an end');
  t.match(await reconcile('m'), {
    kind: 'held',
    summary:
      /^m is in maintenance: by ops, without an end; after it: SENTINEL MONITOR m 10\.0\.0\.9:6379 2 at 10\.0\.0\.1/,
    retryAfterMs: Number,
  });
  t.strictSame(sent, []);
  maintain(undefined);
  t.match(await reconcile('m'), { kind: 'applied' });
  t.strictSame(sent, ['consul', 'monitor m', 'monitor m', 'monitor m']);
});

t.test('maintenance is no reason to wait if there is nothing to do', async (t) => {
  const { sent, reconcile, maintain } = start([]);
  maintain('m is in maintenance');
  t.match(await reconcile('m'), { kind: 'unchanged' });
  t.strictSame(sent, []);
});

t.test('a master that another bridge has removed because its key was deleted is not added again', async (t) => {
  const { sent, reconcile } = start([desired], { isDeleted: true });
  t.match(await reconcile('m'), { kind: 'held', summary: 'the key desired/m was deleted a moment ago' });
  t.strictSame(sent, []);
});
