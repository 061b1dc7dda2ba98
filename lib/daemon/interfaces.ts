import type { Log } from '../telemetry/log.ts';
import type { Conditions } from './conditions.ts';

/** The listing of this node's network interfaces failed, or works again. */
export function reportInterfaces(
  { conditions, log }: { readonly conditions: Conditions; readonly log: Log },
  why: string | undefined,
): void {
  conditions.setInterfaces(why);
  if (why === undefined) log.info('listing network interfaces again');
  else log.warn({ why }, 'cannot list network interfaces');
}
