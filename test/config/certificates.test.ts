import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type ConnectionOptions, connect, createServer, type TlsOptions } from 'node:tls';
import t from 'tap';
import { loadConfig } from '../../lib/config/load.ts';
import type { Problem } from '../../lib/config/problem.ts';
import { findWarnings } from '../../lib/config/warnings.ts';
import { SwitchmasterError } from '../../lib/errors.ts';
import { Certificates } from '../sandbox/certificates.ts';

/* Certificates and keys that no connection could use are problems of the config, at their place. */

const folder = t.testdir();
const at = (name: string): string => join(folder, name);
const certificates = new Certificates(folder);
const [own, other] = [certificates.issue('a.test'), certificates.issue('b.test')];
const files: Readonly<Record<string, string>> = {
  'own.crt': own.cert,
  'own.key': own.key,
  'other.key': other.key,
  'chain.crt': own.cert + certificates.ca,
  'reversed.crt': certificates.ca + own.cert,
  'cut.crt': own.cert.slice(0, 200),
  'cut-chain.crt': `${own.cert}${certificates.ca.slice(0, 200)}`,
  'wrong.crt': own.cert.replace(/\n[A-Za-z0-9+/]{20}/, '\nAAAAAAAAAAAAAAAAAAAA'),
  'text.pem': 'hello\n',
  'note.crt': `# issued today\n${own.cert}\n\nthat is all\n`,
  'cut.key': own.key.slice(0, 60),
  'wrong.key': own.key.replace(/\n[A-Za-z0-9+/]{30}/, '\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'),
};
for (const [name, text] of Object.entries(files)) writeFileSync(at(name), text);
execFileSync('openssl', ['ec', '-in', own.keyFile, '-aes128', '-passout', 'pass:x', '-out', at('old.key')], {
  stdio: 'pipe',
});
execFileSync('openssl', ['pkcs8', '-topk8', '-in', own.keyFile, '-passout', 'pass:x', '-out', at('new.key')], {
  stdio: 'pipe',
});

/** `LINE path: message` of each problem. */
async function problemsOf(yaml: string): Promise<readonly string[]> {
  writeFileSync(at('c.yml'), yaml);
  try {
    await loadConfig({ paths: [at('c.yml')], environment: {} });
    return [];
  } catch (thrown) {
    const { problems = [] } = SwitchmasterError.from(thrown).details as { problems?: readonly Problem[] };
    return problems.map(
      ({ place, path, message }) => `${place?.line} ${path}: ${message.replaceAll(`${folder}/`, '')}`,
    );
  }
}

/** The sections with a certificate and a key. */
const pairs: Readonly<Record<string, (cert: string, key: string) => string>> = {
  'api.tls': (cert, key) => `api:\n  tls: { certFile: ${cert}, keyFile: ${key} }\n`,
  'sentinelEndpoint.tls': (cert, key) =>
    `sentinelEndpoint:\n  tls: { certFile: ${cert}, keyFile: ${key} }\n  listen: "127.0.0.1:1"\n`,
  'consul.tls': (cert, key) => `consul:\n  tls: { certFile: ${cert}, keyFile: ${key} }\n  address: "https://c"\n`,
  'sentinel.tls': (cert, key) => `sentinel:\n  tls: { certFile: ${cert}, keyFile: ${key} }\n`,
  'sentinel.redis.tls': (cert, key) => `sentinel:\n  redis: { tls: { certFile: ${cert}, keyFile: ${key} } }\n`,
  'register[0].tls': (cert, key) =>
    `register:\n  - { kind: redis, address: "127.0.0.1:1", tls: { certFile: ${cert}, keyFile: ${key} } }\n`,
};

t.test('a certificate with its key is accepted, with its chain and with text around', async (t) => {
  for (const [path, write] of Object.entries(pairs))
    for (const cert of ['own.crt', 'chain.crt', 'note.crt'])
      t.strictSame(await problemsOf(write(cert, 'own.key')), [], `${path} ${cert}`);
});

t.test('a certificate or a key that cannot be used is refused at its place', async (t) => {
  for (const [path, write] of Object.entries(pairs)) {
    const first = async (cert: string, key: string) => (await problemsOf(write(cert, key))).join('\n');
    t.equal(
      await first('own.crt', 'other.key'),
      `2 ${path}.keyFile: other.key is not the key of the certificate own.crt`,
    );
    t.match(await first('reversed.crt', 'own.key'), `2 ${path}.keyFile: own.key is not the key`);
    for (const key of ['old.key', 'new.key'])
      t.equal(
        await first('own.crt', key),
        `2 ${path}.keyFile: ${key} is encrypted, and the daemon cannot ask for its password`,
      );
    for (const key of ['cut.key', 'wrong.key', 'text.pem', 'own.crt'])
      t.match(await first('own.crt', key), `2 ${path}.keyFile: ${key} has no private key that can be read`);
    for (const cert of ['text.pem', 'own.key'])
      t.match(await first(cert, 'own.key'), `2 ${path}.certFile: ${cert} has no certificate`);
    for (const cert of ['cut.crt', 'wrong.crt'])
      t.match(await first(cert, 'own.key'), `2 ${path}.certFile: ${cert}: the certificate cannot be read`);
    t.match(await first('cut-chain.crt', 'own.key'), `2 ${path}.certFile: cut-chain.crt: certificate 2 of 2 cannot`);
  }
});

t.test('a CA without a certificate is refused', async (t) => {
  const sections: Readonly<Record<string, (file: string) => string>> = {
    'consul.tls.caFile': (file) => `consul:\n  tls: { caFile: ${file} }\n  address: "https://c"\n`,
    'sentinel.tls.caFile': (file) => `sentinel:\n  tls: { caFile: ${file} }\n`,
    'api.tls.clientCaFile': (file) => `api:\n  tls: { certFile: own.crt, keyFile: own.key, clientCaFile: ${file} }\n`,
  };
  for (const [path, write] of Object.entries(sections)) {
    t.match((await problemsOf(write('text.pem'))).join(), `2 ${path}: text.pem has no certificate`);
    t.match((await problemsOf(write('cut.crt'))).join(), `2 ${path}: cut.crt: the certificate cannot be read`);
    t.strictSame(await problemsOf(write('chain.crt')), []);
  }
});

/** A server's answer to a client, over TLS; undefined if the handshake fails. */
async function exchange(server: TlsOptions, client: ConnectionOptions): Promise<string | undefined> {
  const listening = createServer(server, (socket) => socket.on('error', () => {}).end('hello'));
  listening.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => void listening.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = listening.address() as AddressInfo;
    const socket = connect({ host: '127.0.0.1', port, servername: 'a.test', ...client });
    return (await text(socket).catch(() => '')) || undefined;
  } finally {
    listening.close();
  }
}

t.test('a kind of key is accepted if TLS connections can use it', async (t) => {
  const curve = (name: string) => ['EC', '-pkeyopt', `ec_paramgen_curve:${name}`];
  const kinds: readonly (readonly [string, readonly string[], 'usable' | 'not-usable'])[] = [
    ['rsa', ['RSA', '-pkeyopt', 'rsa_keygen_bits:2048'], 'usable'],
    ['rsa-pss', ['RSA-PSS', '-pkeyopt', 'rsa_keygen_bits:2048'], 'usable'],
    ['ed25519', ['ED25519'], 'usable'],
    ['ed448', ['ED448'], 'usable'],
    ...['P-256', 'P-384', 'P-521'].map((name) => [`ec ${name}`, curve(name), 'usable'] as const),
    ['ec explicit', [...curve('P-256'), '-pkeyopt', 'ec_param_enc:explicit'], 'usable'],
    ...['256', '384', '512'].map((bits) => [`ec brainpool ${bits}`, curve(`brainpoolP${bits}r1`), 'usable'] as const),
    ['ec brainpoolP256t1', curve('brainpoolP256t1'), 'not-usable'],
    ['ec brainpoolP320r1', curve('brainpoolP320r1'), 'not-usable'],
    ['a kind without a name', ['SM2'], 'not-usable'],
    ['ec secp256k1', curve('secp256k1'), 'not-usable'],
    ['ec secp224r1', curve('P-224'), 'not-usable'],
  ];
  for (const [name, kind, wanted] of kinds) {
    const [keyFile, certFile] = [at('kind.key'), at('kind.crt')];
    execFileSync('openssl', ['genpkey', '-algorithm', ...kind, '-out', keyFile], { stdio: 'pipe' });
    const subject = ['-subj', '/CN=a.test', '-addext', 'subjectAltName=DNS:a.test'];
    execFileSync('openssl', ['req', '-new', '-x509', '-key', keyFile, ...subject, '-out', certFile]);
    const [cert, key] = [readFileSync(certFile, 'utf8'), readFileSync(keyFile, 'utf8')];
    // OpenSSL refuses some before any connection.
    const answer = await exchange({ cert, key }, { ca: cert }).catch(() => undefined);
    t.equal(answer, wanted === 'usable' ? 'hello' : undefined, name);
    const problems = await problemsOf(pairs['api.tls']?.('kind.crt', 'kind.key') ?? '');
    const refusal = `2 api.tls.keyFile: kind.key is a key of ${name}, which TLS connections cannot use`;
    t.strictSame(problems, wanted === 'usable' ? [] : [refusal]);
  }
});

t.test('forms of PEM that OpenSSL reads are accepted, and others are refused', async (t) => {
  const forms: readonly (readonly [string, (pem: string) => string | Buffer])[] = [
    ['lines of Windows', (pem) => pem.replaceAll('\n', '\r\n')],
    ['a byte order mark', (pem) => `\ufeff${pem}`],
    ['spaces at ends of lines', (pem) => pem.replace(/$/gm, ' ')],
    ['empty', () => ''],
    ['DER', (pem) => Buffer.from(pem.replace(/-.*-\n/g, ''), 'base64')],
    ['UTF-16', (pem) => Buffer.from(pem, 'utf16le')],
    ['indented', (pem) => pem.replace(/^(?=.)/gm, '  ')],
    ['behind other text of the line', (pem) => `ca: ${pem}`],
    ['one line', (pem) => pem.replaceAll('\n', '')],
    ['quoted', (pem) => JSON.stringify(pem)],
  ];
  for (const [name, change] of forms) {
    writeFileSync(at('form-ca.crt'), change(certificates.ca));
    writeFileSync(at('form.crt'), change(own.cert));
    const { cert, key } = own;
    const answer = await exchange({ cert, key }, { ca: readFileSync(at('form-ca.crt'), 'utf8') });
    const isRead = answer === 'hello';
    const trusting = await problemsOf('consul: { address: "https://c", tls: { caFile: form-ca.crt } }\n');
    t.equal(trusting.length === 0, isRead, `${name}: ${trusting}`);
    const serving = await problemsOf(pairs['api.tls']?.('form.crt', 'own.key') ?? '');
    t.equal(serving.length === 0, isRead, `${name}: ${serving}`);
  }
});

t.test('a certificate for another purpose is a warning, and the other side refuses it', async (t) => {
  const warnings = async (yaml: string) => {
    writeFileSync(at('c.yml'), yaml);
    const config = await loadConfig({ paths: [at('c.yml')], environment: {} });
    return findWarnings(config).map(({ path, message }) => `${path} ${message}`);
  };
  const issued = (usage: string) => certificates.issue('a.test', { extendedKeyUsage: usage });
  const [server, client] = [issued('serverAuth'), issued('clientAuth')];
  const both = [issued('serverAuth,clientAuth'), issued('anyExtendedKeyUsage'), own];
  const ca = certificates.ca;
  t.equal(await exchange(client, { ca }), undefined);
  const demanding = { ...server, ca, requestCert: true };
  t.equal(await exchange(demanding, { ca, ...server }), undefined);
  t.equal(await exchange(demanding, { ca, ...client }), 'hello');
  for (const [path, write] of Object.entries(pairs)) {
    const side = /^(?:api|sentinelEndpoint)/.test(path) ? 'server' : 'client';
    const [right, wrong] = side === 'server' ? [server, client] : [client, server];
    t.strictSame(await warnings(write(wrong.certFile, wrong.keyFile)), [
      `${path}.certFile is not issued for ${side}s: its extendedKeyUsage lacks ${side}Auth`,
    ]);
    for (const { certFile, keyFile } of [right, ...both]) t.strictSame(await warnings(write(certFile, keyFile)), []);
  }
});

t.test('certificates out of their time are warnings, wherever they are', async (t) => {
  const expired = certificates.issue('c.test', { expired: true });
  writeFileSync(at('old-ca.crt'), expired.cert);
  writeFileSync(at('both-ca.crt'), expired.cert + certificates.ca);
  writeFileSync(at('old-chain.crt'), own.cert + expired.cert);
  const paths = async (yaml: string) => {
    writeFileSync(at('c.yml'), yaml);
    const config = await loadConfig({ paths: [at('c.yml')], environment: {} });
    return findWarnings(config).map(({ path, message }) => `${path} ${message}`.replace(/(on|from) 2.*/, '$1'));
  };
  for (const [path, write] of Object.entries(pairs)) {
    t.strictSame(await paths(write(expired.certFile, expired.keyFile)), [`${path}.certFile expired on`]);
    t.strictSame(await paths(write('old-chain.crt', 'own.key')), [
      `${path}.certFile the certificate of "CN=c.test" expired on`,
    ]);
  }
  const trusting = (file: string) => `consul: { address: "https://c", tls: { caFile: ${file} } }\n`;
  t.strictSame(await paths(trusting('old-ca.crt')), ['consul.tls.caFile the certificate of "CN=c.test" expired on']);
  t.strictSame(await paths(trusting('both-ca.crt')), []);
  const dayBeforeMs = Date.now() - 24 * 60 * 60 * 1_000;
  const Yesterday = class extends Date {
    constructor(given: number | string = dayBeforeMs) {
      super(given);
    }
  };
  t.intercept(globalThis, 'Date', { value: Yesterday });
  t.strictSame(await paths(pairs['consul.tls']?.('own.crt', 'own.key') ?? ''), ['consul.tls.certFile is valid from']);
});
