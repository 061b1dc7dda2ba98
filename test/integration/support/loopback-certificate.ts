import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Sandbox } from '../../sandbox/sandbox.ts';

/** A certificate for 127.0.0.1 that signs itself, and its key, as PEM texts and as files. */
export function makeLoopbackCertificate(sandbox: Pick<Sandbox, 'path'>) {
  const [certFile, keyFile] = [sandbox.path('tls.crt'), sandbox.path('tls.key')];
  const subject = ['-subj', '/CN=switchmaster', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const options = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  execFileSync('openssl', [...options, ...subject, '-keyout', keyFile, '-out', certFile], { stdio: 'pipe' });
  return { certFile, keyFile, cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
}
