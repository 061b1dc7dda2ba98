import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import t from 'tap';
import type { ProbeSpec } from '../../../lib/model/template-spec.ts';
import { verifyConsumer } from '../../../lib/renderer/apply/verify.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { putRecord, startRendering } from '../support/rendering.ts';

const sandbox = await Sandbox.openFor(t, { name: 'verify' });
const { folder } = sandbox;
const password = { reveal: () => 'one-secret' };
const signal = new AbortController().signal;

/** A key and a certificate for redis.test that is its own authority; answers the certificate. */
function makeCertificate(name: string): string {
  const [key, certificate] = [join(folder, `${name}.key`), join(folder, `${name}.crt`)];
  const words = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=redis.test';
  const alternative = ['-addext', 'subjectAltName=DNS:redis.test'];
  execFileSync('openssl', [...words.split(' '), ...alternative, '-keyout', key, '-out', certificate], {
    stdio: 'ignore',
  });
  return readFileSync(certificate, 'utf8');
}

const [ca, otherCa] = [makeCertificate('redis'), makeCertificate('other')];
const { port: tlsPort } = await sandbox.address();
const shard = await sandbox.redis({
  name: 'shard1',
  replicas: 0,
  password: password.reveal(),
  config: {
    'tls-port': String(tlsPort),
    'tls-cert-file': join(folder, 'redis.crt'),
    'tls-key-file': join(folder, 'redis.key'),
    'tls-ca-cert-file': join(folder, 'redis.crt'),
    'tls-auth-clients': 'no',
  },
});
const plain = shard.master.address;
const address = { host: plain.host, port: tlsPort };
const tls = { ca, serverName: 'redis.test', verify: true };

function verify(probe: ProbeSpec, deadlineMs = 20_000): Promise<void> {
  const masters = new Map([['shard1', `${plain.host}:${plain.port}`]]);
  return verifyConsumer({ verify: { probes: [probe], deadlineMs }, masters, file: '/dev/null', signal });
}

/** Time enough for a first attempt; a refusal is reported when it is over. */
const refusalMs = 3_000;

function refuse(probe: ProbeSpec): Promise<void> {
  return verify(probe, refusalMs);
}

t.test('a template is verified through TLS, with a password, up to the master of the record', async (t) => {
  const consul = await sandbox.consul();
  await putRecord(consul, { name: 'shard1', master: plain, replicas: [] });
  const probe = { kind: 'redis', address, master: 'shard1', password, tls } as const;
  const template = '{{#each redisMasters}}{{address}}\n{{/each}}';
  const specs = [
    { name: 'right', template, verify: { probes: [probe] } },
    {
      name: 'wrong',
      template,
      verify: { probes: [{ ...probe, password: { reveal: () => 'guessed' } }], deadlineMs: refusalMs },
    },
  ];
  const rendering = startRendering(t, { consul, specs, resyncMs: 60_000 });
  await rendering.until('current', 'right');
  t.match(rendering.stages('right'), { verified: Number });
  const { lastOutcome } = await rendering.until('failed', 'wrong');
  t.match(lastOutcome, { error: { code: 'verify-failed', message: /refuses the password: -WRONGPASS/ } });
  t.notMatch(JSON.stringify(rendering.reports), /one-secret|guessed/);
});

t.test(
  'a certificate of an unknown authority, or for another name, is refused unless the config accepts it',
  async (t) => {
    const probe = { kind: 'redis', address, password } as const;
    await verify({ ...probe, tls });
    await verify({ ...probe, tls: { verify: false } });
    await Promise.all([
      t.rejects(refuse({ ...probe, tls: { ...tls, ca: otherCa } }), {
        code: 'verify-failed',
        message: /cannot be reached: self-signed certificate/,
      }),
      t.rejects(refuse({ ...probe, tls: { ...tls, serverName: 'another.test' } }), {
        message: /Host: another\.test\. is not in the cert's altnames/,
      }),
      t.rejects(refuse({ ...probe, address: plain, tls }), { code: 'verify-failed' }),
      t.rejects(refuse({ kind: 'redis', address: plain }), { message: /PING to .* is answered with "-NOAUTH/ }),
    ]);
  },
);

t.test('a TCP connection or a GET is enough if the config asks for it', async (t) => {
  await verify({ kind: 'tcp', address: plain });
  const { host, port } = await sandbox.address();
  await t.rejects(refuse({ kind: 'tcp', address: { host, port } }), { message: /ECONNREFUSED/ });
  let status = 204;
  const server: Server = createServer((_, response) => response.writeHead(status).end()).listen(port, host);
  t.teardown(() => server.close());
  await waitFor('the server', () => server.listening);
  const url = `http://${host}:${port}/health`;
  await verify({ kind: 'http', url });
  status = 503;
  await t.rejects(refuse({ kind: 'http', url }), { code: 'verify-failed', message: /answers 503/ });
});
