import { formatAddress } from '../model/address.ts';
import { isPattern } from '../model/glob.ts';
import { collisions } from '../model/naming.ts';
import type { Config } from './model.ts';
import type { Resolution } from './resolution.ts';

/** Checks across entries: duplicates, and names that are the same name in Consul. */
export function checkRules(resolution: Resolution, config: Config): void {
  checkMasterNames(resolution, config);
  checkSentinelAddresses(resolution, config);
  warnOfSharedNodes(resolution, config);
}

/** Compares literal names only. The names that a pattern matches are compared when they are found. */
function checkMasterNames(resolution: Resolution, config: Config): void {
  const names = (config.sentinel?.masters ?? []).filter((name) => !isPattern(name));
  for (const group of collisions(new Set(names))) {
    const index = config.sentinel?.masters.indexOf(group[1] ?? '') ?? 0;
    const message = `${group.join(' and ')} have the same name in Consul's DNS`;
    resolution.report({ at: ['sentinel', 'masters', index] }, { message, hint: 'rename one of them in Sentinel' });
  }
}

/** Consul's nodes belong to a partition, not to a namespace, and have their names from the environment and the master. */
function warnOfSharedNodes(resolution: Resolution, { consul, sentinel, environment }: Config): void {
  const namespace = consul.scope?.namespace ?? 'default';
  if (namespace === 'default' || sentinel === undefined || environment !== undefined) return;
  resolution.warn(
    { at: ['environment'] },
    {
      message: `is not set: another namespace with a master of the same name has the same external node as ${JSON.stringify(namespace)}`,
      hint: 'set an environment of its own for each namespace of a partition',
    },
  );
}

function checkSentinelAddresses(resolution: Resolution, config: Config): void {
  const seen = new Set<string>();
  for (const [i, address] of (config.sentinel?.addresses ?? []).entries()) {
    const text = formatAddress(address);
    if (seen.has(text)) resolution.report({ at: ['sentinel', 'addresses', i] }, { message: `${text} is listed twice` });
    seen.add(text);
  }
}
