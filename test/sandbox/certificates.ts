import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A certificate and its key, as files and as PEM texts. */
export type Certificate = { certFile: string; keyFile: string; cert: string; key: string };

const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** A certificate authority in a folder. */
export class Certificates {
  readonly caFile: string;
  readonly #folder: string;
  readonly #keyFile: string;
  #count = 0;

  constructor(folder: string) {
    mkdirSync(folder, { recursive: true });
    this.#folder = folder;
    this.caFile = join(folder, 'ca.crt');
    this.#keyFile = join(folder, 'ca.key');
    const files = ['-keyout', this.#keyFile, '-out', this.caFile];
    openssl(['req', '-x509', ...curve, '-days', '2', '-subj', '/CN=authority', ...files]);
  }

  /** The authority's certificate, as PEM text. */
  get ca(): string {
    return readFileSync(this.caFile, 'utf8');
  }

  /** A certificate for a DNS name. With negative `days` it has expired. Default of `extendedKeyUsage`: none. */
  issue(name: string, { days = 2, extendedKeyUsage = '' } = {}): Certificate {
    const usage = extendedKeyUsage === '' ? [] : ['-addext', `extendedKeyUsage=${extendedKeyUsage}`];
    this.#count += 1;
    const at = (ending: string) => join(this.#folder, `${this.#count}.${ending}`);
    const [certFile, keyFile, request] = [at('crt'), at('key'), at('csr')];
    openssl([
      'req',
      '-new',
      ...curve,
      '-subj',
      `/CN=${name}`,
      '-addext',
      `subjectAltName=DNS:${name}`,
      ...usage,
      '-keyout',
      keyFile,
      '-out',
      request,
    ]);
    const signer = ['-CA', this.caFile, '-CAkey', this.#keyFile, '-CAcreateserial', '-copy_extensions', 'copy'];
    openssl(['x509', '-req', '-in', request, ...signer, '-days', String(days), '-out', certFile]);
    return { certFile, keyFile, cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
  }
}

function openssl(argv: readonly string[]): void {
  execFileSync('openssl', argv, { stdio: 'pipe' });
}
