import { needsOf } from '../../../cmd/acl.ts';
import { loadConfig } from '../../../lib/config/load.ts';
import { planAcl } from '../../../lib/doctor/acl.ts';
import { diagnose } from '../../../lib/doctor/diagnose.ts';
import { examine } from '../../../lib/doctor/examine.ts';
import type { Examination, Finding } from '../../../lib/model/examination.ts';

/** What `switchmaster doctor --config file` looks at, without a process of its own for each look. */
export async function examined(file: string): Promise<Examination> {
  const config = await loadConfig({ paths: [file], environment: {} });
  return examine(config, planAcl(await needsOf(config)));
}

export async function findingsOf(file: string): Promise<readonly Finding[]> {
  return diagnose(await examined(file));
}
