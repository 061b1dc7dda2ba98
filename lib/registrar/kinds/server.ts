import { type Deadline, InstanceLink } from '../../client/instance.ts';
import type { Endpoint } from '../../model/address.ts';
import type { InstanceProfile, Unanswered } from '../../model/probe-result.ts';
import type { InstanceProbe, ProbeTarget } from './kind.ts';

/** What to request over the connection to a server that speaks Redis's protocol. */
export interface ServerRequests<Answer, At extends Endpoint> {
  readonly probe: (link: InstanceLink<At>, deadline: Deadline) => Promise<Unanswered | Answer>;
  readonly profile: (link: InstanceLink<At>, deadline: Deadline) => Promise<InstanceProfile>;
}

/** Probes over one connection that stays open, and that reports when the server goes away or comes back. */
export function openServer<Answer, At extends Endpoint>(
  target: ProbeTarget & { readonly address: At },
  requests: ServerRequests<Answer, At>,
): InstanceProbe<Answer> {
  const { spec, address, access, onLinkState } = target;
  const { timeoutMs } = spec.checks;
  const link = new InstanceLink({ address, access, onLinkState });
  return {
    probe: () => requests.probe(link, { timeoutMs }),
    profile: () => requests.profile(link, { timeoutMs }),
    close: () => link.close(),
  };
}
