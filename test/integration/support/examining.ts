import { needsOf } from '../../../cmd/acl.ts';
import { loadConfig } from '../../../lib/config/load.ts';
import { planAcl } from '../../../lib/doctor/acl/policy.ts';
import { diagnose } from '../../../lib/doctor/diagnose.ts';
import type { Examination } from '../../../lib/doctor/examination.ts';
import { examine } from '../../../lib/doctor/examine.ts';
import type { Finding } from '../../../lib/doctor/rule.ts';

/** Examines as `switchmaster doctor --config file` does, without a new process each time. */
export async function examined(file: string): Promise<Examination> {
  const config = await loadConfig({ paths: [file], environment: {} });
  return examine(config, planAcl(await needsOf(config)));
}

export async function findingsOf(file: string): Promise<readonly Finding[]> {
  return diagnose(await examined(file));
}
