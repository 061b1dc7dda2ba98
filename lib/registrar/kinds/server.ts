import { type Deadline, InstanceLink } from '../../client/instance.ts';
import type { InstanceProfile, Unanswered } from '../../model/probe-result.ts';
import type { InstanceProbe, ProbeTarget } from './kind.ts';

/** What to request over the connection to a server that speaks Redis's protocol. */
export interface ServerRequests<Answer> {
  readonly probe: (link: InstanceLink, deadline: Deadline) => Promise<Unanswered | Answer>;
  readonly profile: (link: InstanceLink, deadline: Deadline) => Promise<InstanceProfile>;
}

/** Probes over one connection that stays open, and that reports when the server goes away or comes back. */
export function openServer<Answer>(target: ProbeTarget, requests: ServerRequests<Answer>): InstanceProbe<Answer> {
  const { spec, access, onLinkState } = target;
  const { timeoutMs } = spec.checks;
  const link = new InstanceLink({ address: spec.address, access, onLinkState });
  return {
    probe: () => requests.probe(link, { timeoutMs }),
    profile: () => requests.profile(link, { timeoutMs }),
    close: () => link.close(),
  };
}
