import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
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

t.test('an expired certificate is a warning, so that the daemon starts', async (t) => {
  const expired = certificates.issue('c.test', { days: -1 });
  const yaml = pairs['api.tls']?.(expired.certFile, expired.keyFile) ?? '';
  t.strictSame(await problemsOf(yaml), []);
  const warnings = findWarnings(await loadConfig({ paths: [at('c.yml')], environment: {} }));
  t.match(warnings, [{ path: 'api.tls.certFile', message: /^expired on 2/, hint: /renew/ }]);
});
