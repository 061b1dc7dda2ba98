import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { connect } from 'node:tls';
import t from 'tap';
import { type Address, formatAddress } from '../../../lib/model/address.ts';
import { Certificates } from '../../sandbox/certificates.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';

/* Secrets and certificates that change while the daemon runs, without a SIGHUP. */

t.setTimeout(240_000);
const sandbox = await Sandbox.openFor(t, { name: 'field-rotation' });
const management = '5e1f0001-0000-4000-8000-000000000001';
const tokens = { master: management, agent: management, default: management };
const acl = { enabled: true, default_policy: 'deny', tokens, enable_token_persistence: false };
const certificates = new Certificates(sandbox.path('ca'));
const others = new Certificates(sandbox.path('other-ca'));
const [first, second] = [certificates.issue('redis.test'), others.issue('redis.test')];
const tlsPort = (await sandbox.address()).port;
const httpsPort = (await sandbox.address()).port;
const [consulCert, consulKey, consulCa] = ['consul.crt', 'consul.key', 'consul.ca'].map((name, i) =>
  sandbox.write(name, [first.cert, first.key, certificates.ca][i] ?? ''),
) as [string, string, string];
const consulTls = { cert_file: consulCert, key_file: consulKey, ca_file: consulCa, verify_incoming_https: true };
const [consul, plain, secured] = await Promise.all([
  sandbox.consul({ config: { acl, ports: { https: httpsPort }, ...consulTls } }),
  sandbox.redis({ name: 'plain', replicas: 0 }),
  sandbox.redis({
    name: 'secured',
    replicas: 0,
    config: {
      'tls-port': String(tlsPort),
      'tls-cert-file': first.certFile,
      'tls-key-file': first.keyFile,
      'tls-ca-cert-file': certificates.caFile,
    },
  }),
]);
const admin = { headers: { 'x-consul-token': management } };

async function makeToken(): Promise<{ readonly secret: string; readonly accessor: string }> {
  const body = JSON.stringify({ Policies: [{ Name: 'global-management' }] });
  const answer = await fetch(`${consul.url}/v1/acl/token`, { ...admin, method: 'PUT', body });
  const { SecretID: secret, AccessorID: accessor } = (await answer.json()) as Record<string, string>;
  return { secret: secret ?? '', accessor: accessor ?? '' };
}

/** As secret stores do it. */
function replace(file: string, text: string): void {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

t.test('a rotated Redis password, CA, client certificate and Consul token are followed', async (t) => {
  const setUser = (password: string) =>
    plain.master.command('ACL', 'SETUSER', 'checker', 'reset', 'on', `>${password}`, '~*', '&*', '+@all');
  await setUser('one');
  const old = await makeToken();
  const passwordFile = sandbox.write('password', 'one');
  const tokenFile = sandbox.write('token', old.secret);
  const caFile = sandbox.write('redis-ca', certificates.ca);
  const [certFile, keyFile] = [
    sandbox.write('redis-client.crt', first.cert),
    sandbox.write('redis-client.key', first.key),
  ];
  const source = sandbox.write('a.conf.hbs', '{{keyOrDefault "app/text" "none"}}\n');
  const securedAt = { ...secured.master.address, port: tlsPort };
  const daemon = await sandbox.switchmaster({
    config: {
      consul: { address: consul.url, tokenFile },
      register: [
        {
          kind: 'redis',
          name: 'plain',
          address: formatAddress(plain.master.address),
          username: 'checker',
          passwordFile,
        },
        {
          kind: 'redis',
          name: 'secured',
          address: formatAddress(securedAt),
          tls: { caFile, certFile, keyFile, serverName: 'redis.test' },
        },
      ],
      templates: [{ source, destination: sandbox.path('a.conf'), header: false }],
    },
  });
  const outputs = async () => {
    const { body } = await daemon.get('/v1/instances');
    const instances = (body as { instances: { name: string; check: { output: string } | null }[] }).instances;
    return Object.fromEntries(instances.map(({ name, check }) => [name, check?.output ?? '']));
  };
  const until = (what: string, wanted: (output: Record<string, string>) => boolean) =>
    waitFor(what, outputs, { until: wanted, timeoutMs: 30_000 });
  await until('both to answer', ({ plain, secured }) => plain === 'answers' && secured === 'answers');

  await setUser('two');
  await plain.master.command('CLIENT', 'KILL', 'USER', 'checker');
  const served = ['tls-cert-file', second.certFile, 'tls-key-file', second.keyFile, 'tls-ca-cert-file', others.caFile];
  await secured.master.command('CONFIG', 'SET', ...served);
  await secured.master.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  await until(
    'both to be refused',
    ({ plain = '', secured = '' }) =>
      plain.includes('refuses the credentials') && secured.includes('has a certificate of an unknown CA'),
  );
  replace(passwordFile, 'two\n');
  replace(caFile, others.ca);
  replace(certFile, second.cert);
  replace(keyFile, second.key);
  await until('both to answer again', ({ plain, secured }) => plain === 'answers' && secured === 'answers');

  const next = await makeToken();
  replace(tokenFile, next.secret);
  await waitFor('the new token', () => daemon.logLines().filter(({ msg }) => msg === 'config reloaded').length, {
    until: (count) => count >= 2,
    timeoutMs: 30_000,
  });
  await fetch(`${consul.url}/v1/acl/token/${old.accessor}`, { ...admin, method: 'DELETE' });
  await consul.putKey('app/text', 'followed');
  await waitFor('the file to follow', () => readFileSync(sandbox.path('a.conf'), 'utf8'), {
    until: (text) => text === 'followed\n',
    timeoutMs: 30_000,
  });
  const noted = daemon.logLines().filter(({ msg }) => msg === 'files of secrets or certificates changed');
  t.ok(noted.length >= 2);

  writeFileSync(source, '{{#if}}\n');
  await daemon.kill('SIGHUP');
  const refusals = () => daemon.logLines().filter(({ msg }) => msg === 'config refused; the running one stays');
  await waitFor('the refusal', refusals, { until: ({ length }) => length > 0, timeoutMs: 30_000 });
  t.match(JSON.stringify(refusals()), /templates\[0\]\.source: a\.conf\.hbs:\d/);
  await consul.putKey('app/text', 'after');
  await waitFor('the running template to follow', () => readFileSync(sandbox.path('a.conf'), 'utf8'), {
    until: (text) => text === 'after\n',
    timeoutMs: 30_000,
  });
  await daemon.stop();
});

t.test('served certificates are followed, and a key of another certificate changes nothing', async (t) => {
  const [listen, endpoint] = [await sandbox.address(), await sandbox.address()];
  const [certFile, keyFile] = [sandbox.write('api.crt', first.cert), sandbox.write('api.key', first.key)];
  const tls = { certFile, keyFile };
  const tokenFile = sandbox.write('consul-token', management);
  const daemon = await sandbox.switchmaster({
    name: 'secure-api',
    start: 'later',
    config: {
      consul: { address: consul.url, tokenFile },
      api: { listen: formatAddress(listen), tls },
      sentinelEndpoint: { listen: formatAddress(endpoint), tls },
    },
  });
  void daemon.launch();
  const served = () => Promise.all([listen, endpoint].map((address) => servedBy(address)));
  const until = (what: string, { cert }: { readonly cert: string }) =>
    waitFor(what, served, {
      until: (serials) => serials.every((serial) => serial === new X509Certificate(cert).serialNumber),
      timeoutMs: 30_000,
    });
  await until('both to serve the certificate', first);
  replace(keyFile, second.key);
  const refusals = () => daemon.logLines().filter(({ msg }) => msg === 'config refused; the running one stays');
  await waitFor('the refusal', refusals, { until: ({ length }) => length > 0, timeoutMs: 30_000 });
  t.match(JSON.stringify(refusals()), /api\.tls\.keyFile: \S+api\.key is not the key of the certificate/);
  await until('both to serve the old one', first);
  replace(certFile, second.cert);
  await until('both to serve the new one', second);
  await daemon.stop();
});

t.test("Consul's certificate, its CA and the client's certificate are followed", async (t) => {
  const at = { host: new URL(consul.url).hostname, port: httpsPort };
  const [caFile, certFile, keyFile] = [
    sandbox.write('client.ca', certificates.ca),
    sandbox.write('client.crt', first.cert),
    sandbox.write('client.key', first.key),
  ];
  const source = sandbox.write('b.conf.hbs', '{{keyOrDefault "app/tls" "none"}}\n');
  const daemon = await sandbox.switchmaster({
    name: 'secure-consul',
    config: {
      consul: {
        address: `https://${formatAddress(at)}`,
        tokenFile: sandbox.write('management', management),
        tls: { caFile, certFile, keyFile, serverName: 'redis.test' },
      },
      templates: [{ source, destination: sandbox.path('b.conf'), header: false }],
    },
  });
  const follows = async (text: string) => {
    await consul.putKey('app/tls', text);
    await waitFor(`the file to have ${text}`, () => readFileSync(sandbox.path('b.conf'), 'utf8').trim(), {
      until: (now) => now === text,
      timeoutMs: 30_000,
    });
  };
  await waitFor('the file', () => existsSync(sandbox.path('b.conf')), { until: (exists) => exists });
  await follows('one');
  const reload = () => fetch(`${consul.url}/v1/agent/reload`, { ...admin, method: 'PUT' });

  // The client first: Consul accepts both for a while.
  replace(consulCa, certificates.ca + others.ca);
  await reload();
  replace(certFile, second.cert);
  replace(keyFile, second.key);
  const reloads = () => daemon.logLines().filter(({ msg }) => msg === 'config reloaded').length;
  await waitFor('the new certificate', reloads, { until: (count) => count === 1, timeoutMs: 30_000 });
  await follows('two');

  // Then Consul, at once: connections begin again only when the new CA is there.
  replace(consulCa, others.ca);
  replace(consulCert, second.cert);
  replace(consulKey, second.key);
  await reload();
  replace(caFile, others.ca);
  await waitFor('the new CA', reloads, { until: (count) => count === 2, timeoutMs: 30_000 });
  await follows('three');
  t.equal(await servedBy(at), new X509Certificate(second.cert).serialNumber);
  await daemon.stop();
});

/** The serial number of the certificate at an address; undefined if nothing answers. */
function servedBy({ host, port }: Address): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, rejectUnauthorized: false, timeout: 2_000 });
    const end = (serial?: string) => {
      socket.destroy();
      resolve(serial);
    };
    socket.on('secureConnect', () => end(socket.getPeerX509Certificate()?.serialNumber));
    socket.on('error', () => end()).on('timeout', () => end());
  });
}
