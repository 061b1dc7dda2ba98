import { type Address, formatAddress, parseAddress } from './address.ts';
import { compareSeverities, type Severity, severities, worstSeverity } from './severity.ts';
import { shellWord } from './shell-words.ts';

/* The result of judging everything that a daemon follows: a level, and the reasons for it. */

/** What a reason is about. The name of a `part` is the daemon's part; that of the others is the one that the API uses. */
export const subjectKinds = [
  'part',
  'consul',
  'config',
  'master',
  'desired',
  'cluster',
  'instance',
  'template',
] as const;

export type SubjectKind = (typeof subjectKinds)[number];

interface Subject {
  readonly kind: SubjectKind;
  readonly name: string;
  /** The Sentinel or the replica of a master that the reason is about, as `host:port`; null where it is the master. */
  readonly address: string | null;
}

/**
 * Every code under its level, with what to type about it; null for a note that needs no action. `{name}`
 * stands for the subject's name, `{host}` and `{port}` for its address, `{server}` and `{node}` for another server to ask:
 * a Sentinel as options of redis-cli, or a node of a cluster. The operations guide has a line for each code
 * (docs/guide/operations.md; a test compares).
 */
const hintsByLevel = {
  critical: {
    'consul-unreachable': 'consul members',
    'consul-denied': 'switchmaster acl',
    'master-down': 'switchmaster why {name}',
    'master-crashed': 'switchmaster why {name}',
    'second-master': 'redis-cli -h {host} -p {port} ROLE',
    'record-unbacked': 'switchmaster status {name}',
    isolated: 'switchmaster why {name}',
    'loopback-published': 'redis-cli {server} SENTINEL MASTER {name}',
    'sentinels-lost': 'redis-cli {server} SENTINEL CKQUORUM {name}',
    'cluster-failed': 'redis-cli --cluster check {node}',
    'cluster-slots-uncovered': 'redis-cli --cluster check {node}',
    'instance-critical': 'switchmaster check --online',
    'template-refused': 'switchmaster render --dry-run --diff --template {name}',
    'template-invalid': 'switchmaster check',
    'template-failed': 'switchmaster events {name} --since 1h',
  },
  warning: {
    'config-refused': 'switchmaster check',
    'record-unreadable': 'consul kv get {name}',
    'right-missing': 'switchmaster acl',
    'maintenance-unreadable': 'switchmaster maintenance status',
    'interfaces-unreadable': 'systemctl cat switchmaster',
    'journal-unwritable': 'switchmaster config show',
    'master-suspected': 'switchmaster why {name}',
    'master-held': 'switchmaster why {name}',
    'master-failed': 'switchmaster why {name}',
    'promotion-unconfirmed': 'switchmaster why {name}',
    'sentinel-unreachable': 'redis-cli -h {host} -p {port} PING',
    'sentinel-tilt': 'redis-cli -h {host} -p {port} INFO sentinel',
    'sentinel-differs': 'redis-cli -h {host} -p {port} SENTINEL MASTER {name}',
    'sentinels-disagree': 'redis-cli {server} SENTINEL MASTER {name}',
    'sentinel-uncounted': 'redis-cli {server} SENTINEL SENTINELS {name}',
    'master-without-replica': 'redis-cli {server} SENTINEL REPLICAS {name}',
    'replica-down': 'redis-cli -h {host} -p {port} INFO replication',
    'replica-not-replicating': 'redis-cli -h {host} -p {port} INFO replication',
    'replica-lags': 'redis-cli -h {host} -p {port} INFO replication',
    'redis-denied': 'switchmaster check --online',
    'redis-unreached': 'switchmaster check --online',
    'foreign-instance': 'consul services deregister -id ID',
    'foreign-check': 'switchmaster status {name}',
    'other-environment': 'switchmaster forget {name} --environment ENVIRONMENT',
    'desired-held': 'switchmaster events {name} --loop provisioner',
    'desired-failed': 'switchmaster events {name} --loop provisioner',
    'cluster-problem': 'redis-cli --cluster check {node}',
    'cluster-node-down': 'redis-cli -h {host} -p {port} PING',
    'cluster-without-replica': 'redis-cli --cluster check {node}',
    'instance-warning': 'switchmaster check --online',
    'template-held': 'switchmaster render --dry-run --diff --template {name}',
    'template-warning': 'switchmaster check',
  },
  unknown: {
    'not-ready': 'switchmaster check --online',
    'master-unrecorded': 'switchmaster why {name}',
    'cluster-unrecorded': 'redis-cli --cluster check {node}',
    'instance-unchecked': 'switchmaster check --online',
    'template-pending': 'switchmaster render --dry-run --template {name}',
  },
  well: {
    'master-failing-over': null,
    'master-settling': null,
    maintenance: 'switchmaster maintenance status',
  },
} as const satisfies Readonly<Record<Severity, Readonly<Record<string, string | null>>>>;

export type HealthCode = { [L in Severity]: keyof (typeof hintsByLevel)[L] }[Severity];

/** Every code with its level and its hint. */
export const healthCodes = Object.fromEntries(
  severities.flatMap((level) => Object.entries(hintsByLevel[level]).map(([code, hint]) => [code, { level, hint }])),
) as Readonly<Record<HealthCode, { readonly level: Severity; readonly hint: string | null }>>;

export interface Reason {
  readonly code: HealthCode;
  /** A reason that is `well` is a note: something passes by itself. */
  readonly level: Severity;
  readonly subject: Subject;
  /** A sentence: what is wrong, and why. */
  readonly text: string;
  /** What to type; null for a note about which nothing has to be done. */
  readonly hint: string | null;
  /** Where the documentation explains the code. */
  readonly doc: string;
}

export interface Health {
  readonly level: Severity;
  /** Worst first, then by subject. Empty where there is nothing to say. */
  readonly reasons: readonly Reason[];
}

/** A reason with the level and the hint of its code; `level` is given where it differs. */
export function makeReason(given: {
  readonly code: HealthCode;
  readonly subject: { readonly kind: SubjectKind; readonly name: string; readonly address?: string };
  readonly text: string;
  readonly level?: Severity;
  /** What to type, where the subject has a better command than its code. */
  readonly hint?: string | undefined;
  /** Another server to ask: one that answers. */
  readonly ask?: Address | undefined;
}): Reason {
  const { code, text, ask } = given;
  const { level, hint } = healthCodes[code];
  const subject = { ...given.subject, address: given.subject.address ?? null };
  return {
    code,
    level: given.level ?? level,
    subject,
    text,
    hint: given.hint ?? (hint === null ? null : fillHint(hint, { subject, ask })),
    doc: `docs/guide/operations.md#${code}`,
  };
}

/** A name may contain any character: it is quoted if a shell would not read it as one word. */
function fillHint(
  hint: string,
  { subject, ask }: { readonly subject: Subject; readonly ask: Address | undefined },
): string {
  const { host, port } = parseAddress(subject.address ?? '') ?? { host: 'HOST', port: 'PORT' };
  const server = ask ?? { host: '127.0.0.1', port: 26379 };
  const values: Readonly<Record<string, string>> = {
    name: shellWord(subject.name),
    host: shellWord(host),
    port: shellWord(String(port)),
    server: `-h ${shellWord(server.host)} -p ${server.port}`,
    node: ask === undefined ? 'HOST:PORT' : shellWord(formatAddress(ask)),
  };
  return hint.replace(/\{(\w+)\}/g, (_, key: string) => values[key] ?? key);
}

export function worstLevel(reasons: readonly Pick<Reason, 'level'>[]): Severity {
  return worstSeverity(reasons.map(({ level }) => level));
}

export function toHealth(reasons: readonly Reason[]): Health {
  const sorted = reasons.toSorted((a, b) => compareSeverities(a.level, b.level) || compare(keyOf(a), keyOf(b)));
  return { level: worstLevel(sorted), reasons: sorted };
}

/** One line: the level, the worst reason, and how many there are. */
export function describeHealth({ level, reasons }: Health): string {
  const [worst] = reasons;
  if (worst === undefined) return 'all is well';
  const others = reasons.length === 1 ? '' : ` (1 of ${reasons.length} reasons)`;
  return `${level}: ${worst.subject.name}: ${worst.text}${others}`;
}

function keyOf({ subject, code }: Reason): string {
  return `${subjectKinds.indexOf(subject.kind)} ${subject.name} ${subject.address ?? ''} ${code}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
