import type { InstanceState, OutcomeState } from '../../http/views.ts';
import { formatAddress } from '../../model/address.ts';
import { makeReason, type Reason } from '../../model/health.ts';
import { isOfMasterChange } from '../../model/instance-check.ts';
import { instanceKind } from '../../model/instance-kinds.ts';
import { redisCliWords, shellWord } from '../../model/shell-words.ts';

/** Whether one of this node's own processes passes its check, and whether Consul takes its registration. */
export function judgeInstance(
  instance: InstanceState,
  known: {
    readonly lastOutcome: OutcomeState | undefined;
    /** Its master is changing, or has just changed. */
    readonly masterChanges: boolean;
  },
): readonly Reason[] {
  const { code, message } = known.lastOutcome?.error ?? {};
  const isRefused = code === 'consul-denied' || code === 'consul-refused';
  const subject = { kind: 'instance', name: instance.id } as const;
  const text = `The service of ${processOf(instance)} stays as it is in Consul. ${message}`;
  const refused = makeReason({ code: 'instance-warning', subject, text, hint: 'switchmaster acl' });
  return [...(isRefused ? [refused] : []), ...judgeCheck(instance, known)];
}

function judgeCheck(
  instance: InstanceState,
  { masterChanges }: { readonly masterChanges: boolean },
): readonly Reason[] {
  const { id, check } = instance;
  const subject = { kind: 'instance', name: id } as const;
  const process = processOf(instance);
  if (check === null)
    return [makeReason({ code: 'instance-unchecked', subject, text: `The ${process} was not checked yet.` })];
  if (check.status === 'passing') return [];
  const text = `The check of ${process} is ${check.status}: ${check.output}`;
  const passing = masterChanges && isOfMasterChange(check) ? ({ level: 'well' } as const) : {};
  return [makeReason({ code: `instance-${check.status}`, subject, text, hint: questionTo(instance), ...passing })];
}

function processOf({ id, kind, address, socket }: InstanceState): string {
  return `${kind} ${socket ?? (address === null ? id : formatAddress(address))}`;
}

/** What to ask a Redis or a Sentinel; undefined for a proxy, which may serve no such command. */
function questionTo({ kind, address, socket }: InstanceState): string | undefined {
  const { answer } = instanceKind(kind);
  if (answer === 'proxy') return undefined;
  const question = ['INFO', answer === 'sentinel' ? 'sentinel' : 'replication'];
  if (socket !== null) return ['redis-cli', '-s', shellWord(socket), ...question].join(' ');
  return address === null ? undefined : redisCliWords(address, question).join(' ');
}
