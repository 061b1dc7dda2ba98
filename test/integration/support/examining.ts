import { needsOf } from '../../../cmd/acl.ts';
import { loadConfig } from '../../../lib/config/load.ts';
import { diagnose } from '../../../lib/doctor/diagnose.ts';
import type { Examination } from '../../../lib/doctor/examination.ts';
import { examine } from '../../../lib/doctor/examine.ts';
import type { Finding } from '../../../lib/doctor/rule.ts';
import { planDnsAcl } from '../../../lib/model/acl/dns.ts';
import { planAcl } from '../../../lib/model/acl/policy.ts';

/** Examines as `switchmaster doctor --config file` does, without a new process each time. */
export async function examined(file: string): Promise<Examination> {
  const config = await loadConfig({ paths: [file], environment: {} });
  const needs = await needsOf(config);
  return examine(config, { rules: planAcl(needs), dnsRules: planDnsAcl(needs) });
}

export async function findingsOf(file: string): Promise<readonly Finding[]> {
  return diagnose(await examined(file));
}
