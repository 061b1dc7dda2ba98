import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { Resolution, Sourced } from './resolution.ts';
import type { Secret } from './secret.ts';

/** A text of a file, and the setting that names the file. */
interface PemFile<Content> {
  readonly file: Sourced<string>;
  readonly content: Content;
}

/** Reports a certificate and a key that no TLS connection could use. */
export function checkKeyPair(
  resolution: Resolution,
  { cert, key }: { readonly cert: PemFile<string>; readonly key: PemFile<Secret> },
): void {
  const leaf = checkAuthorities(resolution, cert);
  const privateKey = readKey(resolution, key);
  if (leaf === undefined || privateKey === undefined) return;
  if (!leaf.checkPrivateKey(privateKey)) {
    const names = `${nameOf(resolution, key)} is not the key of the certificate ${nameOf(resolution, cert)}`;
    resolution.report(key.file.setting, { message: names, hint: 'the first certificate of the file must be its own' });
    return;
  }
  if (!isUsable(privateKey)) {
    const { asymmetricKeyType: type, asymmetricKeyDetails: details } = privateKey;
    const kind = [type, details?.namedCurve].filter((word) => word !== undefined).join(' ');
    const message = `${nameOf(resolution, key)} is a key of ${kind || 'a kind without a name'}, which TLS connections cannot use`;
    const hint = 'take a key of RSA, Ed25519, Ed448, or of the curves P-256, P-384, P-521 and Brainpool r1';
    resolution.report(key.file.setting, { message, hint });
    return;
  }
  try {
    createSecureContext({ cert: cert.content, key: key.content.reveal() });
  } catch (thrown) {
    resolution.report(cert.file.setting, { message: `${nameOf(resolution, cert)}: ${reasonOf(thrown)}` });
  }
}

/** Reports a text without certificates, or with one that cannot be read. Returns the first certificate. */
export function checkAuthorities(resolution: Resolution, given: PemFile<string>): X509Certificate | undefined {
  const blocks = splitCertificates(given.content);
  if (blocks.length === 0) {
    resolution.report(given.file.setting, {
      message: `${nameOf(resolution, given)} has no certificate`,
      hint: 'expected PEM: -----BEGIN CERTIFICATE-----',
    });
  }
  const read: X509Certificate[] = [];
  for (const [i, block] of blocks.entries()) {
    try {
      read.push(new X509Certificate(block));
    } catch (thrown) {
      const which = blocks.length === 1 ? 'the certificate' : `certificate ${i + 1} of ${blocks.length}`;
      const message = `${nameOf(resolution, given)}: ${which} cannot be read: ${reasonOf(thrown)}`;
      resolution.report(given.file.setting, { message });
      return undefined;
    }
  }
  return read[0];
}

function readKey(resolution: Resolution, given: PemFile<Secret>): KeyObject | undefined {
  const pem = given.content.reveal();
  try {
    return createPrivateKey(pem);
  } catch (thrown) {
    const isEncrypted = /-----BEGIN ENCRYPTED|^Proc-Type: 4,ENCRYPTED/m.test(pem);
    const problem = isEncrypted
      ? {
          message: 'is encrypted, and the daemon cannot ask for its password',
          hint: 'openssl pkey -in FILE -out NEWFILE',
        }
      : { message: `has no private key that can be read: ${reasonOf(thrown)}` };
    resolution.report(given.file.setting, { ...problem, message: `${nameOf(resolution, given)} ${problem.message}` });
    return undefined;
  }
}

/**
 * Kinds of keys that sign in TLS, and curves that have a signature scheme: of RFC 8446 (4.2.3) and, for Brainpool in TLS 1.3, of
 * RFC 8734. OpenSSL 3 and so Node offer these schemes.
 */
const usableKinds: ReadonlySet<string> = new Set(['rsa', 'rsa-pss', 'ed25519', 'ed448']);
const usableCurves: ReadonlySet<string> = new Set([
  'prime256v1',
  'secp384r1',
  'secp521r1',
  'brainpoolP256r1',
  'brainpoolP384r1',
  'brainpoolP512r1',
]);

function isUsable({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): boolean {
  return type === 'ec' ? usableCurves.has(details?.namedCurve ?? '') : usableKinds.has(type ?? '');
}

/** The certificates of a text, each from its begin on, whether it has an end or not. OpenSSL skips one that does not begin a line. */
export function splitCertificates(pem: string): readonly string[] {
  return pem
    .replace(/^\ufeff/, '')
    .split(/(?<![^\n])(?=-----BEGIN )/)
    .filter((block) => /^-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----/.test(block));
}

function nameOf(resolution: Resolution, { file }: PemFile<unknown>): string {
  return resolution.absolute(file.value, file.setting);
}

/** OpenSSL's reason, without its numbers. */
function reasonOf(thrown: unknown): string {
  const { reason, message } = thrown as Error & { readonly reason?: string };
  return reason ?? message.replace(/^error:[0-9A-F]+:/, '');
}
