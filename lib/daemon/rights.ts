import { aclNeeds } from '../config/acl-needs.ts';
import type { Config } from '../config/model.ts';
import type { ConsulPartOptions } from '../consul/part.ts';
import { listRights } from '../model/acl/policy.ts';
import type { Log } from '../telemetry/log.ts';

/** The rights that the running parts need, and the log's lines about those that the token loses. */
export function watchRights(config: () => Config, log: Log): NonNullable<ConsulPartOptions['rights']> {
  return {
    rules: (queries) => listRights(aclNeeds(config(), queries)),
    onChange: ({ rule, kind }) => {
      if (kind === 'lost') log.warn({ rule }, 'the token has lost a right in consul');
      else if (kind === 'lacking') log.warn({ rule }, 'the token lacks a right in consul');
      else log.info({ rule }, 'the token has a right in consul again');
    },
  };
}
