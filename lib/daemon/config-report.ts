import type { Config } from '../config/model.ts';
import { findWarnings } from '../config/warnings.ts';
import type { Log } from '../telemetry/log.ts';

/** Logs what is doubtful about a config that takes effect. */
export function reportConfig(config: Config, log: Log): void {
  for (const { path, message, hint } of findWarnings(config)) log.warn({ path, why: message, hint }, 'config warning');
  const { register, sentinel, sentinelEndpoint, cluster, templates } = config;
  const isIdle = register === undefined && sentinel === undefined && sentinelEndpoint === undefined;
  if (isIdle && cluster.length + templates.length === 0)
    log.warn('nothing to do: the config has neither register, sentinel, sentinelEndpoint, cluster nor templates');
}
