import type { UnorderedCrash } from '../../http/views.ts';
import { formatAddress } from '../../model/address.ts';
import { makeReason, type Reason } from '../../model/health.ts';

/** A master whose process is gone, without an order to fail over. */
export function judgeCrash(
  of: { readonly kind: 'master' | 'cluster'; readonly name: string },
  { address, why }: UnorderedCrash,
): Reason {
  const node = formatAddress(address);
  const subject = of.kind === 'master' ? of : { ...of, address: node };
  return makeReason({
    code: 'master-crashed',
    subject,
    text: `${node} has crashed. This node has ordered no failover: ${why}.`,
  });
}
