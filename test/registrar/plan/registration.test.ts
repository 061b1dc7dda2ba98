import t from 'tap';
import { type InstanceSpec, instanceId, registrarMeta } from '../../../lib/model/instance.ts';
import { type InstanceSnapshot, planInstance } from '../../../lib/registrar/plan/registration.ts';
import { addedMeta, describeChecks, listConfigured } from '../../../lib/registrar/plan/service-meta.ts';

const path = '/run/a.sock';
const checks = {
  ...{ intervalMs: 2_000, timeoutMs: 1_000, consulIntervalMs: 5_000, consulTimeoutMs: 2_000, fall: 2, rise: 2 },
  ...{ maxLagMs: 30_000, maxLinkDownMs: 60_000 },
};

/** The registration of an instance on a socket, by default one that nobody registered before. */
function registrationOf(over: Partial<InstanceSpec>, more: Partial<InstanceSnapshot> = {}) {
  const spec: InstanceSpec = {
    ...{ id: instanceId('haproxy', path), kind: 'haproxy', address: path, tags: [], meta: {}, checks },
    ...{ origin: 'configured', deregisterOnStop: false, isolation: 'ignore', ...over },
  };
  const check = { status: 'critical', output: 'x' } as const;
  const [action] = planInstance({
    ...{ naming: { environment: undefined }, spec, check, version: undefined, reachable: false, held: undefined },
    ...{ profile: undefined, recorded: { name: spec.name, role: 'unknown' }, registeredBefore: false },
    ...{ writtenTags: new Set<string>(), ...more },
  });
  return action?.kind === 'register' ? action.registration : undefined;
}

t.test('an instance on a socket has no address, and the reported check does what the config asks', async (t) => {
  const id = 'haproxy-unix:run:a.sock';
  const report = { kind: 'report', id: `${id}:switchmaster` };
  t.match(registrationOf({}), { id, address: '', port: 0, meta: { socket: path, checks: 'report' }, checks: [report] });
  const announced = registrationOf({ announce: { host: '10.0.0.5', port: 16379 } });
  t.match(announced, { address: '10.0.0.5', port: 16379, meta: { socket: path } });
  const reaped = registrationOf({ checks: { ...checks, deregisterCriticalServiceAfterMs: 60_000 } });
  t.match(reaped?.checks, [{ ...report, deregisterAfterMs: 60_000 }]);
  t.equal(reaped?.meta.checks, 'report reaped after 60000ms');
  const asked = registrationOf({ checks: { ...checks, httpUrl: 'http://127.0.0.1:1/health' } });
  t.match(asked?.checks, [{ kind: 'http', id: `${id}:consul` }, report]);
});

t.test('an announced hostname is registered as it is, except the names of the loopback interface', async (t) => {
  const addressOf = (host: string) => registrationOf({ announce: { host, port: 6379 } })?.address;
  for (const host of ['redis1', 'redis1.example.org', 'localhost.example.org', '192.0.2.7', '127.0.3.7'])
    t.equal(addressOf(host), host);
  for (const host of ['localhost', 'localhost.localdomain', 'ip6-localhost', '127.0.1.1', '0.0.0.0'])
    t.equal(addressOf(host), '', `${host}: the node's address`);
});

t.test('no value of meta is longer than Consul permits, and each key of the config is known again', async (t) => {
  const meta = Object.fromEntries(
    Array.from({ length: 40 }, (_, i) => [`${'traefik-tcp-router-'.repeat(6)}${i}`, 'x']),
  );
  const httpUrl = `http://127.0.0.1:1/${'ж'.repeat(400)}`;
  const registration = registrationOf({ meta, checks: { ...checks, httpUrl } });
  const all = registration?.meta ?? {};
  for (const [key, value] of Object.entries(all)) t.ok(Buffer.byteLength(value) <= 512, key);
  t.ok(Object.keys(all).length <= 64);
  t.strictSame(addedMeta({ ...all, theirs: 'y' }), { theirs: 'y' }, 'what leaves the config leaves the service');
  t.strictSame(listConfigured({}), {});
  t.strictSame(listConfigured({ a: '1', b: '2' }), { configured: 'a b' });
  const other = registrationOf({ meta, checks: { ...checks, httpUrl: `${httpUrl}2` } });
  t.not(describeChecks(registration?.checks ?? []), describeChecks(other?.checks ?? []), 'another URL shows');
});

t.test('a master or a cluster with the name of a role has another tag', async (t) => {
  for (const name of ['master', 'Replica']) {
    const registration = registrationOf({ kind: 'redis', name });
    t.notOk(
      registration?.tags.some((tag) => /^(?:master|replica)$/i.test(tag)),
      name,
    );
    t.equal(registration?.meta.name, name);
  }
});

t.test(
  'tags of somebody else stay, and none that the registrar gave, whatever the agent holds beside them',
  async (t) => {
    const settings = { tagsFrom: 'catalog', weights: undefined, taggedAddresses: {}, connect: undefined } as const;
    const service = { id: instanceId('redis', path), service: 'redis', address: '', port: 0, checks: [], settings };
    const instance = { kind: 'redis', name: 'plain' } as const;
    const writtenTags = new Set(['former', 'plain', 'replica']);
    const recorded = { name: 'plain', role: 'master' } as const;
    // The agent took the tags of before from the catalog again, after it had got the meta of now.
    const held = {
      ...service,
      tags: ['former', 'plain', 'replica', 'Replica', 'canary'],
      meta: { [registrarMeta]: 'default', name: 'plain', role: 'master' },
    };
    const tagsAfter = (more: Partial<InstanceSnapshot>, over: Partial<InstanceSpec> = instance) =>
      registrationOf(over, { recorded, held, writtenTags, ...more })?.tags;
    t.strictSame(tagsAfter({}), ['plain', 'master', 'canary']);
    t.strictSame(tagsAfter({ writtenTags: new Set() }), ['plain', 'master', 'former', 'canary'], 'after a restart');
    t.strictSame(
      tagsAfter({ writtenTags: new Set() }, { kind: 'haproxy' })?.includes('replica'),
      true,
      'a kind without roles',
    );
    t.strictSame(tagsAfter({ held: { ...held, settings: { ...settings, tagsFrom: 'agent' } } }), ['plain', 'master']);
  },
);
