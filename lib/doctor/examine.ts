import type { Config, SentinelConfig } from '../config/model.ts';
import type { AclRule } from '../model/acl/rule.ts';
import type { Examination } from './examination.ts';
import { examineConsul } from './examine/consul.ts';
import { examineIsolation } from './examine/isolation.ts';
import { examineInstances } from './examine/redis.ts';
import { examineSentinels } from './examine/sentinels.ts';
import { readListedSentinels } from './listed-sentinels.ts';

/** The rules that the daemon's token needs, and those that Consul's DNS needs. */
export interface NeededRules {
  readonly rules: readonly AclRule[];
  readonly dnsRules: readonly AclRule[];
}

/** Reads once from all servers that a config names. Takes a few seconds at most, changes nothing, and never throws. */
export async function examine(config: Config, rules: NeededRules): Promise<Examination> {
  const [{ consul, clock }, { sentinels, masters: opinions, clocks: theirs }, isolation] = await Promise.all([
    examineConsul(config, rules),
    findSentinels(config).then((sentinel) => examineSentinels(sentinel)),
    examineIsolation(config),
  ]);
  const { masters, clocks } = await examineInstances(config.sentinel, opinions);
  return {
    atMs: Date.now(),
    consul,
    sentinels,
    masters,
    isolation,
    ...(config.sentinel === undefined ? {} : { fence: config.sentinel.fence }),
    clocks: [...clocks, ...theirs, ...(clock === undefined ? [] : [clock])],
  };
}

/** Adds the Sentinels that Consul lists. If Consul does not answer, its own examination reports that. */
async function findSentinels(config: Config): Promise<SentinelConfig | undefined> {
  const { sentinel } = config;
  if (sentinel === undefined) return undefined;
  const listed = await readListedSentinels(config).catch(() => []);
  return { ...sentinel, addresses: [...sentinel.addresses, ...listed] };
}
