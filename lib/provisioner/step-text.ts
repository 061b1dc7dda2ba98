import { formatAddress } from '../model/address.ts';
import type { ProvisioningStep } from '../model/provisioning.ts';

/** Without values, because some are passwords. */
export function describeStep(step: ProvisioningStep): string {
  const at = `at ${formatAddress(step.sentinel)}`;
  switch (step.kind) {
    case 'monitor':
      return `SENTINEL MONITOR ${step.name} ${formatAddress(step.address)} ${step.quorum} ${at}`;
    case 'set':
      return `SENTINEL SET ${step.name} ${Object.keys(step.options).join(' ')} ${at}`;
    case 'remove':
      return `SENTINEL REMOVE ${step.name} ${at}`;
  }
}
