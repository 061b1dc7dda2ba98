import type { InstanceState, OutcomeState } from '../../http/views.ts';
import { formatAddress } from '../../model/address.ts';
import { makeReason, type Reason } from '../../model/health.ts';

/** Whether one of this node's own processes passes its check, and whether Consul takes its registration. */
export function judgeInstance(
  { id, kind, address, socket, check }: InstanceState,
  lastOutcome: OutcomeState | undefined,
): readonly Reason[] {
  const subject = { kind: 'instance', name: id } as const;
  const process = `${kind} ${socket ?? (address === null ? id : formatAddress(address))}`;
  const { code, message } = lastOutcome?.error ?? {};
  const isRefused = code === 'consul-denied' || code === 'consul-refused';
  const text = `The service of ${process} stays as it is in Consul. ${message}`;
  const refused = isRefused ? [makeReason({ code: 'instance-warning', subject, text })] : [];
  return [...refused, ...judgeCheck(check, { process, id })];
}

function judgeCheck(
  check: InstanceState['check'],
  { process, id }: { readonly process: string; readonly id: string },
): readonly Reason[] {
  const subject = { kind: 'instance', name: id } as const;
  if (check === null)
    return [makeReason({ code: 'instance-unchecked', subject, text: `The ${process} was not checked yet.` })];
  if (check.status === 'passing') return [];
  const text = `The check of ${process} is ${check.status}: ${check.output}`;
  return [makeReason({ code: `instance-${check.status}`, subject, text })];
}
