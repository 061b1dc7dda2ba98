import { X509Certificate } from 'node:crypto';
import { splitCertificates } from './certificates.ts';
import type { Resolution, Setting } from './resolution.ts';

/** A PEM text, and the setting that names its file. */
interface PemText {
  readonly setting: Setting;
  readonly content: string;
}

type Side = 'client' | 'server';

/*
 * Certificates that the other side refuses: expired, not valid yet, or issued for another purpose. They are warnings and no errors:
 * a daemon with an expired certificate still follows failovers.
 */

/** Warns about our own certificate and its chain, at the side of a connection that has it. */
export function warnOfCertificate(resolution: Resolution, { setting, content }: PemText, side: Side): void {
  const [leaf, ...chain] = readAll(content);
  if (leaf === undefined) return;
  const refused = `${side === 'server' ? 'clients' : 'servers'} refuse it`;
  warnOfTime(resolution, { setting, certificate: leaf, hint: `${refused}: renew the certificate` });
  for (const certificate of chain)
    warnOfTime(resolution, { setting, certificate, name: nameOf(certificate), hint: `${refused}: renew the chain` });
  // Node names the extension extendedKeyUsage (RFC 5280, 4.2.1.12) so. Without it, a certificate has all purposes.
  const purposes: readonly string[] | undefined = leaf.keyUsage;
  if (purposes === undefined || purposes.includes(purpose[side]) || purposes.includes(anyPurpose)) return;
  const message = `is not issued for ${side}s: its extendedKeyUsage lacks ${side}Auth`;
  resolution.warn(setting, { message, hint: `${refused}: issue a certificate with ${side}Auth` });
}

/** Warns about authorities, if none is valid: an expired one may stay beside its successor for a while. */
export function warnOfAuthorities(resolution: Resolution, { setting, content }: PemText): void {
  const all = readAll(content);
  if (all.some((certificate) => timeProblem(certificate) === undefined)) return;
  for (const certificate of all)
    warnOfTime(resolution, {
      setting,
      certificate,
      name: nameOf(certificate),
      hint: 'the certificates that it issued are refused: renew it',
    });
}

function warnOfTime(
  resolution: Resolution,
  given: {
    readonly setting: Setting;
    readonly certificate: X509Certificate;
    readonly name?: string;
    readonly hint: string;
  },
): void {
  const { setting, certificate, name = '', hint } = given;
  const problem = timeProblem(certificate);
  if (problem !== undefined) resolution.warn(setting, { message: `${name}${problem}`, hint });
}

function timeProblem({ validFromDate, validToDate }: X509Certificate): string | undefined {
  const now = new Date();
  if (validToDate < now) return `expired on ${validToDate.toISOString()}`;
  return validFromDate > now ? `is valid from ${validFromDate.toISOString()} on` : undefined;
}

const purpose = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' } as const;
const anyPurpose = '2.5.29.37.0';

function nameOf({ subject }: X509Certificate): string {
  return `the certificate of ${JSON.stringify(subject?.replaceAll('\n', ', ') ?? '')} `;
}

/** Nothing where one cannot be read, which is an error elsewhere. */
function readAll(pem: string): readonly X509Certificate[] {
  try {
    return splitCertificates(pem).map((block) => new X509Certificate(block));
  } catch {
    return [];
  }
}
