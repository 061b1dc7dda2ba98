import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A certificate and its key, as files and as PEM texts. */
export type Certificate = { certFile: string; keyFile: string; cert: string; key: string };

const dayMs = 24 * 60 * 60 * 1_000;
const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** A certificate authority in a folder. */
export class Certificates {
  readonly caFile: string;
  readonly #folder: string;
  readonly #keyFile: string;
  readonly #settingsFile: string;
  #count = 0;

  constructor(folder: string) {
    mkdirSync(folder, { recursive: true });
    this.#folder = folder;
    this.caFile = join(folder, 'ca.crt');
    this.#keyFile = join(folder, 'ca.key');
    const files = ['-keyout', this.#keyFile, '-out', this.caFile];
    openssl(['req', '-x509', ...curve, '-days', '2', '-subj', '/CN=authority', ...files]);
    // `openssl x509` of OpenSSL 3.5 issues no certificate that has expired, and that of 3.0 takes no dates.
    this.#settingsFile = join(folder, 'ca.conf');
    writeFileSync(this.#settingsFile, authoritySettings(folder));
    writeFileSync(join(folder, 'issued.txt'), '');
  }

  /** The authority's certificate, as PEM text. */
  get ca(): string {
    return readFileSync(this.caFile, 'utf8');
  }

  /** A certificate for a DNS name. One that has expired did so a day ago. Default of `extendedKeyUsage`: none. */
  issue(name: string, { expired = false, extendedKeyUsage = '' } = {}): Certificate {
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
    const signer = ['-config', this.#settingsFile, '-cert', this.caFile, '-keyfile', this.#keyFile];
    const [startMs, endMs] = expired ? [-2 * dayMs, -dayMs] : [0, 2 * dayMs];
    const validity = ['-startdate', timeAfter(startMs), '-enddate', timeAfter(endMs)];
    openssl(['ca', '-batch', '-notext', ...signer, ...validity, '-in', request, '-out', certFile]);
    return { certFile, keyFile, cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
  }
}

/** What `openssl ca` keeps, and what it takes from a request. */
function authoritySettings(folder: string): string {
  const settings = {
    database: join(folder, 'issued.txt'),
    new_certs_dir: folder,
    rand_serial: 'yes',
    unique_subject: 'no',
    default_md: 'sha256',
    copy_extensions: 'copy',
    policy: 'policy',
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}`);
  return ['[ca]', 'default_ca = authority', '[authority]', ...lines, '[policy]', 'commonName = supplied', ''].join(
    '\n',
  );
}

/** As `openssl ca` takes it: YYYYMMDDHHMMSSZ. */
function timeAfter(milliseconds: number): string {
  return `${new Date(Date.now() + milliseconds).toISOString().replace(/\D/g, '').slice(0, 14)}Z`;
}

function openssl(argv: readonly string[]): void {
  execFileSync('openssl', argv, { stdio: 'pipe' });
}
