import { parseHaproxyConfig } from '../model/haproxy-config.ts';
import { findRestored } from '../model/haproxy-servers.ts';
import { describeOverlaps, findDoubleBind } from './haproxy-binds.ts';
import type { RenderScope } from './scope.ts';

/** Reports settings that HAProxy itself accepts although connections could reach another server than the config names. */
export function judgeHaproxy(text: string, scope: RenderScope): void {
  scope.refusal = findDoubleBind(text);
  for (const sentence of [...describeOverlaps(text), ...describeRestored(text)]) scope.warnings.add(sentence);
}

/** A sentence about proxies whose servers HAProxy takes from its state file; none if there is none. */
function describeRestored(text: string): readonly string[] {
  if (!text.includes('load-server-state-from-file')) return [];
  const names = findRestored(parseHaproxyConfig(text));
  if (names.length === 0) return [];
  const shown = names.slice(0, 3).join(', ') + (names.length > 3 ? ` and ${names.length - 3} more` : '');
  return [
    `HAProxy takes the ports of the servers of ${shown} from its state file and not from this file: after a restart it could lead to ` +
      'a former master. Write "load-server-state-from-file none" in these proxies.',
  ];
}
