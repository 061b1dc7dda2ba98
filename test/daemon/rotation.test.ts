import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { stringify } from 'yaml';
import { loadRotating } from '../../lib/config/load.ts';
import { draftParts } from '../../lib/daemon/blueprints.ts';
import type { PartContext } from '../../lib/daemon/part-context.ts';
import { Certificates } from '../sandbox/certificates.ts';

/*
 * Every setting that names a file of a secret or a certificate. The daemon watches the files that the config names, and
 * rebuilds the parts whose settings a changed file changes: the parts in this table, and no others.
 */

const folder = t.testdir();
const certificates = new Certificates(folder);
const [one, two] = [certificates.issue('a.test'), certificates.issue('a.test')];
const other = new Certificates(join(folder, 'other'));
const at = (name: string): string => join(folder, name);

/** Files of one kind change together, as a certificate and its key do. */
type Change = readonly { readonly file: string; readonly before: string; readonly after: string }[];

const secret = (name: string): Change => [{ file: name, before: `${name}-one`, after: `${name}-two\n` }];
const authority = (name: string): Change => [{ file: name, before: certificates.ca, after: other.ca }];
const pair = (name: string): Change => [
  { file: `${name}.crt`, before: one.cert, after: two.cert },
  { file: `${name}.key`, before: one.key, after: two.key },
];
const everyPart = ['bridge', 'cluster', 'consul', 'endpoint', 'maintenance', 'provisioner', 'registrar', 'renderer'];

const table: readonly (readonly [string, Change, readonly string[]])[] = [
  // A request reads the present token, so that no part is rebuilt.
  ['consul.tokenFile', secret('consul-token'), []],
  ['CONSUL_CACERT', authority('consul-ca'), everyPart],
  ['CONSUL_CLIENT_CERT, CONSUL_CLIENT_KEY', pair('consul-client'), everyPart],
  ['register[].passwordFile', secret('register'), ['registrar']],
  ['register[].tls.caFile', authority('register-ca'), ['registrar']],
  ['register[].tls.certFile, keyFile', pair('register-client'), ['registrar']],
  ['register[].discover, passwordFile', secret('discover'), ['registrar']],
  ['sentinel.passwordFile', secret('sentinel'), ['bridge', 'provisioner']],
  ['sentinel.tls.caFile', authority('sentinel-ca'), ['bridge', 'provisioner']],
  ['sentinel.tls.certFile, keyFile', pair('sentinel-client'), ['bridge', 'provisioner']],
  ['sentinel.redis.passwordFile', secret('redis'), ['bridge', 'provisioner']],
  ['sentinel.redis.tls.caFile', authority('redis-ca'), ['bridge', 'provisioner']],
  ['cluster[].passwordFile', secret('cluster'), ['cluster']],
  ['cluster[].tls.caFile', authority('cluster-ca'), ['cluster']],
  ['sentinelEndpoint.passwordFile', secret('endpoint'), ['endpoint']],
  ['sentinelEndpoint.operator.passwordFile', secret('operator'), ['endpoint']],
  ['sentinelEndpoint.tls', pair('endpoint-tls'), ['endpoint']],
  ['sentinelEndpoint.tls.clientCaFile', authority('endpoint-clients'), ['endpoint']],
  ['templates[].verify.redis.passwordFile', secret('verify'), ['renderer']],
  ['templates[].verify.redis.tls.caFile', authority('verify-ca'), ['renderer']],
  ['api.tokenFile', secret('api-token'), ['api']],
  ['api.tls', pair('api-tls'), ['api']],
  ['api.tls.clientCaFile', authority('api-clients'), ['api']],
];

const files = table.flatMap(([, change]) => change);
const writeAll = (): void => {
  for (const { file, before } of files) writeFileSync(at(file), before);
};

const tls = (name: string, client = false) => ({
  caFile: `${name}-ca`,
  ...(client ? { certFile: `${name}-client.crt`, keyFile: `${name}-client.key` } : {}),
});
const served = (name: string) => ({
  certFile: `${name}-tls.crt`,
  keyFile: `${name}-tls.key`,
  clientCaFile: `${name}-clients`,
});
const config = {
  consul: { address: 'https://127.0.0.1:8501', tokenFile: 'consul-token' },
  register: [
    { kind: 'redis', address: '10.0.0.5:6379', passwordFile: 'register', tls: tls('register', true) },
    { kind: 'redis', discover: true, passwordFile: 'discover' },
  ],
  sentinel: {
    addresses: ['10.0.0.5:26379'],
    provision: true,
    passwordFile: 'sentinel',
    tls: tls('sentinel', true),
    redis: { passwordFile: 'redis', tls: tls('redis') },
  },
  cluster: [{ name: 'c', seeds: ['10.0.0.5:7000'], passwordFile: 'cluster', tls: tls('cluster') }],
  sentinelEndpoint: {
    listen: '127.0.0.1:26380',
    passwordFile: 'endpoint',
    operator: { passwordFile: 'operator' },
    tls: served('endpoint'),
  },
  templates: [
    {
      source: 'app.json.hbs',
      destination: 'app.json',
      verify: { redis: { address: '127.0.0.1:1', passwordFile: 'verify', tls: tls('verify') } },
    },
  ],
  api: { listen: '127.0.0.1:8680', tokenFile: 'api-token', tls: served('api') },
};
writeFileSync(at('config.yaml'), stringify(config));
const environment = {
  CONSUL_CACERT: at('consul-ca'),
  CONSUL_CLIENT_CERT: at('consul-client.crt'),
  CONSUL_CLIENT_KEY: at('consul-client.key'),
};
const context = { hasRegistered: () => false } as unknown as PartContext;

t.test('a rotated file is watched, and rebuilds the parts that use it', async (t) => {
  writeAll();
  const loaded = await loadRotating({ paths: [at('config.yaml')], environment });
  t.strictSame(loaded.files.toSorted(), files.map(({ file }) => at(file)).toSorted(), 'every file is watched');
  const hashes = (from: typeof loaded) =>
    draftParts(from.config, context).map((part) => [part.name, part.settingsHash]);
  const before = new Map(hashes(loaded) as [string, string][]);
  for (const [setting, change, parts] of table) {
    for (const { file, after } of change) writeFileSync(at(file), after);
    const rotated = await loaded.refresh();
    const changed = hashes(rotated).flatMap(([name = '', hash]) => (before.get(name) === hash ? [] : name));
    t.strictSame(changed.toSorted(), parts, setting);
    writeAll();
  }
});
