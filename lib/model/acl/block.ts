import type { ConsulScope } from '../consul-scope.ts';

/** Rules of a policy within a block of this name, as `namespace`. Empty without rules. */
function formatBlock(name: string, rules: string): string {
  return rules === '' ? '' : `${name} {\n${rules.replace(/^(?=.)/gm, '  ')}}\n`;
}

export function inNamespaceBlock({ namespace }: ConsulScope, rules: string): string {
  return formatBlock(`namespace ${JSON.stringify(namespace)}`, rules);
}

/** The rules as they are where no partition is named. */
export function inPartitionBlock({ partition }: ConsulScope, rules: string): string {
  return partition === undefined ? rules : formatBlock(`partition ${JSON.stringify(partition)}`, rules);
}
