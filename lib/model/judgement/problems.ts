import { type Address, formatAddress, isNodeLocal, sameAddress } from '../address.ts';
import type { ConsulScope } from '../consul-scope.ts';
import { describeForeignCheck, type ForeignCheck } from '../foreign-check.ts';
import { describeOtherEnvironment, type OtherEnvironment, removeOtherEnvironment } from '../other-environment.ts';
import { describeForeign, type ForeignInstance, type MasterProblem } from '../problem.ts';
import type { MasterRecord } from '../record.ts';
import type { SentinelView } from '../sentinel.ts';
import { consulCommand } from '../shell-words.ts';
import { describeLimit, type Limit, questionAbout } from './limits.ts';

/** The master by the record or, where there is no record, by most of the Sentinels. */
export type Expectation =
  | { readonly by: 'record'; readonly record: Pick<MasterRecord, 'master' | 'phase'> }
  | { readonly by: 'majority'; readonly master: Address };

/** What the bridge, or the doctor with the bridge's credentials, knows of one master. */
export interface ProblemSituation {
  /** What the Sentinels are compared with; undefined where there is nothing. */
  readonly expected: Expectation | undefined;
  /** One for each Sentinel that answered. */
  readonly views: readonly SentinelView[];
  /** Further servers of this master, as it or they themselves announce. Default: none. */
  readonly listed?: readonly Address[];
  /** Redis servers that refuse the bridge, with their error. */
  readonly refusals: readonly {
    readonly address: Address;
    readonly says: string;
    readonly hint?: string | undefined;
  }[];
  /** Redis servers to which there never was a connection, or can be none, with the error. */
  readonly unreached: ProblemSituation['refusals'];
  /** Single commands that servers refuse, although they let the bridge in. Default: none. */
  readonly limits?: readonly Limit[];
  /** Instances that somebody else registered under this master's tag. */
  readonly foreign: readonly ForeignInstance[];
  /** Critical checks that somebody else attached to this master's services. Default: none. */
  readonly foreignChecks?: readonly ForeignCheck[];
  /** Registrations of the same master in other environments. Default: none. */
  readonly otherEnvironments?: readonly OtherEnvironment[];
  /** Sentinels that were never reached and do not count for this master. */
  readonly uncounted: readonly { readonly address: Address; readonly why?: string | undefined }[];
  /** What the bridge waits for. */
  readonly held: string | undefined;
  /** About Redis servers of this node that are isolated, or could not be paused. Default: none. */
  readonly isolation?: readonly MasterProblem[];
  /** Where in Consul Enterprise it is. */
  readonly scope?: ConsulScope | undefined;
}

/** The problems of a master, sorted: the same problems always come in the same order. */
export function findProblems({
  expected,
  views,
  listed = [],
  refusals,
  unreached,
  limits = [],
  foreign,
  foreignChecks = [],
  otherEnvironments = [],
  uncounted,
  held,
  isolation = [],
  scope,
}: ProblemSituation): readonly MasterProblem[] {
  return [
    ...isolation,
    ...(held === undefined ? [] : [{ kind: 'held', message: held } as const]),
    ...disagreement(expected, views),
    ...refusals.map((refusal) => ({ kind: 'redis-denied', message: describeRefusal(refusal) }) as const),
    ...limits.flatMap((limit) =>
      describeLimit(limit).map((message) => ({ kind: 'redis-denied', message, hint: questionAbout(limit) }) as const),
    ),
    // The checks report a server that is down; here it is up to a Sentinel.
    ...unreached
      .filter(({ address }) => isUp(address, views))
      .map((refusal) => ({ kind: 'redis-unreached', message: describeUnreached(refusal) }) as const),
    ...uncounted.map((one) => ({ kind: 'sentinel-uncounted', message: describeUncounted(one) }) as const),
    ...publishedLoopback(views, listed),
    ...foreign.map((instance) => {
      const hint = consulCommand('services deregister', { scope, operands: ['-id', instance.id] });
      return { kind: 'foreign-instance', message: describeForeign(instance), hint } as const;
    }),
    ...otherEnvironments.map((other) => {
      const [message, hint] = [describeOtherEnvironment(other), removeOtherEnvironment(other)];
      return { kind: 'other-environment', message, hint } as const;
    }),
    ...foreignChecks.map((check) => ({ kind: 'foreign-check', message: describeForeignCheck(check) }) as const),
  ].toSorted((a, b) => (`${a.kind} ${a.message}` < `${b.kind} ${b.message}` ? -1 : 1));
}

/**
 * A server that Sentinels know as 127.0.0.1, or by another name of the own host, although there are addresses of other
 * machines: on each of those, this address means that machine itself. A Sentinel's own address is not published.
 */
function publishedLoopback(views: readonly SentinelView[], listed: readonly Address[]): readonly MasterProblem[] {
  const known = views.flatMap(({ master, replicas }) => [master, ...replicas.map(({ address }) => address)]);
  const servers = [...known, ...listed];
  const local = servers.filter(({ host }) => isNodeLocal(host));
  const hosts = [...servers, ...views.map(({ sentinel }) => sentinel)].map(({ host }) => host);
  if (local.length === 0 || hosts.every(isNodeLocal)) return [];
  const named = [...new Set(local.map(formatAddress))].toSorted().join(', ');
  const message = `Sentinels know a server as ${named}, which on every machine means that machine itself, beside addresses of other machines; run SENTINEL REMOVE and SENTINEL MONITOR with the address that others use, and set replica-announce-ip`;
  return [{ kind: 'loopback-published', message }];
}

/** Between a promotion and its confirmation the Sentinels rightly name the old master. */
function disagreement(expected: Expectation | undefined, views: readonly SentinelView[]): readonly MasterProblem[] {
  if (expected === undefined || (expected.by === 'record' && expected.record.phase === 'promoted')) return [];
  const wanted = expected.by === 'record' ? expected.record.master : expected.master;
  const others = views.filter(({ master }) => !sameAddress(master, wanted));
  if (others.length === 0) return [];
  const said = others
    .map(({ sentinel, master }) => `${formatAddress(sentinel)} names ${formatAddress(master)}`)
    .toSorted();
  const than = expected.by === 'record' ? 'the record' : 'most of them';
  const message = `${others.length} of ${views.length} Sentinels name another master than ${than}: ${said.join(', ')}`;
  return [{ kind: 'sentinels-disagree', message }];
}

function isUp(address: Address, views: readonly SentinelView[]): boolean {
  return views.some(({ master, condition, linked, replicas }) =>
    sameAddress(master, address)
      ? condition === 'up' && linked
      : replicas.some((replica) => sameAddress(replica.address, address) && replica.condition === 'up'),
  );
}

function describeUncounted({ address, why }: ProblemSituation['uncounted'][number]): string {
  const because = why === undefined ? '' : ` (${why})`;
  return `Sentinel ${formatAddress(address)} has never answered${because} and does not count: the Sentinels that monitor this master do not list it; bring it back, or remove it from sentinel.addresses`;
}

type Refusal = ProblemSituation['refusals'][number];

function describeUnreached({ address, says, hint }: Refusal): string {
  const fix = hint ?? 'check for a firewall, or for TLS on one side only';
  return `Redis ${formatAddress(address)} is up to a Sentinel, but the bridge cannot reach it (${says.trim()}): its role is unknown and it cannot be fenced; ${fix}`;
}

function describeRefusal({ address, says, hint }: Refusal): string {
  return `Redis ${formatAddress(address)} does not let the bridge in (${says.trim()}): its role is unknown and it cannot be fenced; ${fixOf(says, hint)}`;
}

function fixOf(says: string, hint: string | undefined): string {
  if (says.startsWith('NOPERM')) return 'give the user of sentinel.redis the rules of docs/reference/redis-acl.md';
  const credentials = 'set sentinel.redis.passwordFile (and username) to what the server accepts';
  return /^[A-Z]{3,} /.test(says) ? credentials : (hint ?? credentials);
}
