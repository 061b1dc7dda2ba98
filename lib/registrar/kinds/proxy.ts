import type { InstanceProfile } from '../../model/probe-result.ts';
import type { InstanceProbe } from './kind.ts';

/** Proxies announce no other address and have no slots. */
const profile: InstanceProfile = { announced: undefined, slots: undefined };

/** A probe of a proxy, which opens a connection each time. */
export function openProxy<Answer>(probe: InstanceProbe<Answer>['probe']): InstanceProbe<Answer> {
  return { probe, profile: async () => profile, close: () => {} };
}
