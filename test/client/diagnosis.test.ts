import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { diagnose } from '../../lib/client/diagnosis.ts';
import { faultOfError, faultOfReply } from '../../lib/client/fault.ts';
import { FaultFinder } from '../../lib/client/fault-finder.ts';
import { RedisLink } from '../../lib/client/redis.ts';
import { translateRedisError } from '../../lib/client/redis-errors.ts';
import type { Address } from '../../lib/model/address.ts';
import { explainFault, isNamed, type LinkFault, linkFaults } from '../../lib/model/link-fault.ts';
import { Certificates } from '../sandbox/certificates.ts';
import { waitFor } from '../sandbox/condition.ts';
import { Sandbox } from '../sandbox/sandbox.ts';

const sandbox = await Sandbox.openFor(t, { name: 'diagnosis' });
const certificates = new Certificates(sandbox.folder);
const { ca } = certificates;
const own = certificates.issue('redis.test');
const timeoutMs = 1_000;
const tlsPort = (await sandbox.address()).port;
const tlsConfig = {
  'tls-port': String(tlsPort),
  'tls-cert-file': own.certFile,
  'tls-key-file': own.keyFile,
  'tls-ca-cert-file': certificates.caFile,
};
const [shard, strict] = await Promise.all([
  sandbox.redis({ name: 'secured', replicas: 0, config: { ...tlsConfig, 'tls-auth-clients': 'no' } }),
  sandbox.redis({ name: 'strict', replicas: 0, config: tlsConfig }),
]);
const plain = shard.master.address;
const secured = { ...plain, port: tlsPort };
const tls = { ca, serverName: 'redis.test', verify: true };

async function listen(t: Test, server: ReturnType<typeof createServer>): Promise<Address> {
  const address = await sandbox.address();
  server.listen(address.port, address.host);
  await once(server, 'listening');
  t.teardown(() => server.close());
  return address;
}

t.test('a real server that does not fit the settings is named, over one connection', async (t) => {
  const foreign = new Certificates(sandbox.path('foreign'));
  const unknown = foreign.issue('client');
  const shown = { cert: unknown.cert, key: unknown.key };
  const strictAt = { ...strict.master.address, port: tlsPort };
  const table: readonly (readonly [string, Address, typeof tls | undefined, LinkFault | undefined])[] = [
    ['plain at a plain port', plain, undefined, undefined],
    ['TLS at a TLS port', secured, tls, undefined],
    ['plain at a TLS port', secured, undefined, 'tls-expected'],
    ['plain at a TLS port that wants a certificate', strictAt, undefined, 'tls-expected'],
    ['TLS at a plain port', plain, tls, 'tls-unexpected'],
    ['another name', secured, { ...tls, serverName: 'other.test' }, 'certificate-name'],
    ['an unknown CA', secured, { ...tls, ca: foreign.ca }, 'certificate-unknown'],
    ['no client certificate', strictAt, tls, 'client-certificate-missing'],
    ['the certificate of another CA', strictAt, { ...tls, ...shown }, 'client-certificate-refused'],
    ['nobody', await sandbox.address(), undefined, 'not-listening'],
    ['a name without an address', { host: 'nowhere.invalid', port: 6379 }, undefined, 'name-unknown'],
  ];
  for (const [what, address, settings, fault] of table)
    t.equal(await diagnose(address, { tls: settings, timeoutMs }), fault, what);
});

t.test('a certificate that has expired is named', async (t) => {
  const old = certificates.issue('redis.test', { expired: true });
  const port = (await sandbox.address()).port;
  const config = { ...tlsConfig, 'tls-port': String(port), 'tls-cert-file': old.certFile, 'tls-key-file': old.keyFile };
  const { master } = await sandbox.redis({ name: 'old', replicas: 0, config });
  t.equal(await diagnose({ ...master.address, port }, { tls, timeoutMs }), 'certificate-expired');
});

t.test('a server that is not a Redis is named', async (t) => {
  const http = await listen(
    t,
    createHttpServer((_, answer) => answer.end()),
  );
  const silent = await listen(
    t,
    createServer((socket) => void socket.on('error', () => {})),
  );
  const closing = await listen(
    t,
    createServer((socket) => void socket.on('error', () => {}).end()),
  );
  t.equal(await diagnose(http, { tls: undefined, timeoutMs }), 'other-protocol');
  t.equal(await diagnose(silent, { tls: undefined, timeoutMs: 200 }), 'silent');
  t.equal(await diagnose(closing, { tls: undefined, timeoutMs }), 'closed');
});

t.test('a server whose clients are all taken is named, and no longer once there is room', async (t) => {
  const { master } = await sandbox.redis({ name: 'full', replicas: 0 });
  const link = new RedisLink(master.address, {});
  t.teardown(() => link.close());
  await link.role({ timeoutMs });
  await master.command('CONFIG', 'SET', 'maxclients', '1');
  const other = new RedisLink(master.address, {});
  t.teardown(() => other.close());
  await t.rejects(
    other.call(['PING'], { timeoutMs }).catch(async (thrown: unknown) => {
      throw await other.explain(thrown);
    }),
    { code: 'redis-denied', message: /has reached maxclients and refuses new connections; raise maxclients/ },
  );
  t.match(other.refusal, 'has reached maxclients');
  await link.call(['CONFIG', 'SET', 'maxclients', '100'], { timeoutMs });
  // A connection that was accepted before there was room is still refused.
  await waitFor('an answer to the other', async () => (await other.role({ timeoutMs })).role === 'master');
  t.equal(other.fault, undefined);
  t.equal(other.refusal, undefined);
});

t.test('what a diagnosis finds late is not held against a server that has answered meanwhile', async (t) => {
  const answered = Promise.withResolvers<void>();
  const connected = Promise.withResolvers<void>();
  const server = createServer((socket) => {
    socket.on('error', () => {});
    connected.resolve();
    void answered.promise.then(() => socket.end('-ERR max number of clients reached\r\n'));
  });
  const faults = new FaultFinder({ address: await listen(t, server), tls: undefined });
  faults.failed(new Error('Connection is closed.'));
  await connected.promise;
  faults.answered();
  answered.resolve();
  t.equal(await faults.find(), undefined);
  faults.failed(new Error('Connection is closed.'));
  t.equal(await faults.find(), 'clients-limit', 'what begins after the answer counts');
});

t.test('replies and errors of every version are recognized', async (t) => {
  const replies: Readonly<Record<string, LinkFault | undefined>> = {
    'DENIED Redis is running in protected mode because protected mode is enabled': 'protected-mode',
    'DENIED Valkey is running in protected mode because protected mode is enabled': 'protected-mode',
    'ERR max number of clients reached': 'clients-limit',
    'ERR max number of clients + cluster connections reached': 'clients-limit',
    'NOAUTH Authentication required.': 'password-missing',
    'ERR operation not permitted': 'password-missing',
    'WRONGPASS invalid username-password pair or user is disabled.': 'password-wrong',
    'ERR invalid password': 'password-wrong',
    "NOPERM this user has no permissions to run the 'role' command": 'command-denied',
    'LOADING Redis is loading the dataset in memory': 'loading',
    "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.": 'master-down',
    'BUSY Redis is busy running a script.': 'busy',
    "ERR unknown command 'SENTINEL', with args beginning with: 'MASTERS' ": 'not-sentinel',
    'ERR unknown command `SENTINEL`, with args beginning with: `MASTERS`, ': 'not-sentinel',
    'ERR This instance has cluster support disabled': 'not-cluster',
    'READONLY You cannot write against a read only replica.': undefined,
  };
  for (const [text, fault] of Object.entries(replies)) t.equal(faultOfReply(text), fault, text);
  for (const code of ['ECONNRESET', 'EPIPE', undefined]) t.equal(faultOfError({ code }), undefined);
  const atSocket = (code: string) => faultOfError({ code, address: '/run/a.sock' });
  t.equal(atSocket('ENOENT'), 'socket-missing');
  t.equal(atSocket('ECONNREFUSED'), 'socket-stale');
  t.equal(atSocket('EACCES'), 'socket-denied');
  t.equal(atSocket('EAGAIN'), 'silent', 'its queue is full');
  t.equal(faultOfError({ code: 'ECONNREFUSED', address: '127.0.0.1' }), 'not-listening');
});

t.test('an error names the cause and what to do about it', async (t) => {
  for (const fault of (Object.keys(linkFaults) as LinkFault[]).filter(isNamed)) {
    const error = translateRedisError(new Error('x'), { what: 'PING', lastError: undefined, fault });
    t.match(error.message, `PING got no answer: the server ${explainFault(fault)}`);
  }
});

t.test('an error about retries says what the server does instead', async (t) => {
  const lastError = Object.assign(new Error('Reached the max retries'), { name: 'MaxRetriesPerRequestError' });
  const { message } = translateRedisError(lastError, { what: 'PING', lastError, fault: 'closed' });
  t.equal(message, 'PING got no answer: the server closes the connection without an answer');
});

t.test('an error has the answer of a server that refuses the login, but not the long texts of Redis', (t) => {
  const explain = (answer: string, fault: LinkFault) =>
    translateRedisError(new Error('Connection is closed.'), { what: 'PING', lastError: new Error(answer), fault });
  for (const [answer, fault] of [
    ['WRONGPASS invalid username-password pair or user is disabled.', 'password-wrong'],
    ['ERR invalid password', 'password-wrong'],
    ['NOAUTH Authentication required.', 'password-missing'],
    ["NOPERM this user has no permissions to run the 'info' command", 'command-denied'],
  ] as const) {
    const { says, hint } = linkFaults[fault];
    const message = `PING got no answer: the server ${says} (${answer}); ${hint}`;
    t.match(explain(answer, fault), { code: 'redis-denied', message });
  }
  const long = explain('DENIED Redis is running in protected mode because', 'protected-mode');
  t.notMatch(long.message, 'DENIED');
  t.notMatch(explain('WRONGPASS earlier', 'protected-mode').message, 'WRONGPASS');
  t.end();
});

t.test(
  'of a thousand servers that fall silent, a few are diagnosed at a time, and the others when they fail again',
  async (t) => {
    let [open, most] = [0, 0];
    const held = new Set<Socket>();
    const server = createServer((socket) => {
      open += 1;
      most = Math.max(most, open);
      held.add(socket);
      socket
        .on('error', () => {})
        .on('close', () => {
          open -= 1;
          held.delete(socket);
        });
    });
    const address = await listen(t, server);
    const finders = Array.from({ length: 200 }, () => new FaultFinder({ address, tls: undefined }));
    t.teardown(() => {
      for (const finder of finders) finder.close();
    });
    const fail = () => {
      for (const finder of finders) finder.failed(new Error('Connection is closed.'));
      for (const socket of held) socket.destroy();
      return finders.filter(({ fault }) => fault === 'closed').length;
    };
    await waitFor('each to have its fault', fail, { until: (found) => found === finders.length });
    t.ok(most >= 16 && most <= 32, `${most} connections at a time`);
  },
);
