import type { InstanceState } from '../../http/views.ts';
import { formatAddress } from '../../model/address.ts';
import { makeReason, type Reason } from '../../model/health.ts';

/** Whether one of this node's own processes passes its check. */
export function judgeInstance({ id, kind, address, socket, check }: InstanceState): readonly Reason[] {
  const subject = { kind: 'instance', name: id } as const;
  const process = `${kind} ${socket ?? (address === null ? id : formatAddress(address))}`;
  if (check === null)
    return [makeReason({ code: 'instance-unchecked', subject, text: `The ${process} was not checked yet.` })];
  if (check.status === 'passing') return [];
  const text = `The check of ${process} is ${check.status}: ${check.output}`;
  return [makeReason({ code: `instance-${check.status}`, subject, text })];
}
