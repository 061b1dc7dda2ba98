import { isEmptyAnswer, isList } from '../model/access.ts';
import type { Publish } from '../model/publish.ts';
import type { ConsulAnswer, ConsulQuery } from '../model/query.ts';
import { queryId } from '../model/query.ts';
import { SecretTexts } from './secrecy.ts';

/**
 * The state of a query. `unknown`: not read yet, or never successfully; `denied`: because the token may not read it. `former`:
 * what a key had that is gone.
 */
export type Lookup<T> =
  | { readonly kind: 'known'; readonly value: T; readonly former?: T }
  | { readonly kind: 'unknown' | 'denied' };

type Known<T> = Lookup<T> & { readonly kind: 'known' };

/** What Debian's config of HAProxy sets, as far as this machine has it. */
export interface HaproxyDefaults {
  readonly user?: string;
  readonly group?: string;
  readonly chroot?: string;
  readonly log?: string;
}

/** Everything that a render may read. */
export interface RenderWorld {
  /** `id` is the query's {@link queryId}. */
  lookUp<Q extends ConsulQuery>(query: Q, id: string): Lookup<ConsulAnswer<Q>>;
  /** The text of a file on this machine. Throws if it cannot be read. */
  lookUpFile(path: string): Lookup<string>;
  /** A variable of the daemon's environment. */
  env(name: string): string | undefined;
  /** `vars` of the template's spec. */
  readonly vars: Readonly<Record<string, unknown>>;
  readonly environment: string | undefined;
  /** Default: clients use the addresses in the records. */
  readonly publish?: Publish;
  /** Default: nothing. */
  readonly haproxyDefaults?: HaproxyDefaults;
  /** The time that templates write. Default: the present. */
  readonly now?: Date;
}

/** What a pass of a loop read: see kept-passes.ts. */
export interface PassReads {
  /** The answer to each lookup, by the ids of the queries, in order. */
  readonly lookups: Map<string, { readonly query: ConsulQuery; readonly answer: Lookup<unknown> }>;
  readonly members: (readonly string[])[];
}

/** Everything that one render has read: its dependencies, and the members that guards count. */
export class RenderScope {
  readonly world: RenderWorld;
  readonly dependencies = new Map<string, ConsulQuery>();
  readonly missing = new Map<string, ConsulQuery>();
  readonly files = new Set<string>();
  readonly missingFiles = new Set<string>();
  /** Ids of servers, as `service(web) node1/web-1` or `master shard1`: equal for the same member whatever its address. */
  readonly members = new Set<string>();
  /** `host:port` of each master that the render read, by name. */
  readonly masters = new Map<string, string>();
  /** Sentences about what is left out of the output, for the operator. */
  readonly warnings = new Set<string>();
  /** Why the output must not take effect. */
  refusal: string | undefined;
  records: 'read' | 'not-read' = 'not-read';
  /** Whether the output may contain the time. */
  time: 'read' | 'not-read' = 'not-read';
  /** Ids of the lists in Consul that the render read, by what they hold. */
  readonly lists = { filled: new Set<string>(), empty: new Set<string>() };
  /** Names that helpers listed and that have a second meaning as a query, as `a@b`: a query of that text means the name. */
  readonly listed = { services: new Set<string>(), nodes: new Set<string>(), keys: new Set<string>() };
  /** What `scratch.Set` and the like keep. */
  readonly scratch = new Map<string, unknown>();
  /** The values of `file` and `env`, and values computed from them. */
  readonly secrets = new SecretTexts();

  /** What the pass of a loop that is rendered now reads, if it is recorded. */
  passReads: PassReads | undefined;

  constructor(world: RenderWorld) {
    this.world = world;
  }

  get hasListed(): boolean {
    const { services, nodes, keys } = this.listed;
    return services.size + nodes.size + keys.size > 0;
  }

  /** Reads one value and records the read. undefined if it is not known yet. */
  read<Q extends ConsulQuery>(query: Q): Known<ConsulAnswer<Q>> | undefined {
    const id = queryId(query);
    const answer = this.#lookUp(query, id);
    if (answer.kind === 'known') return answer;
    this.missing.set(id, query);
    return undefined;
  }

  /** As `read`, for an answer that the render does not require: the token may not have the right to read it. */
  readAllowed<Q extends ConsulQuery>(query: Q): Known<ConsulAnswer<Q>> | undefined {
    const isDenied = this.#lookUp(query, queryId(query)).kind === 'denied';
    return isDenied ? undefined : this.read(query);
  }

  #lookUp<Q extends ConsulQuery>(query: Q, id: string): Lookup<ConsulAnswer<Q>> {
    const answer = this.world.lookUp(query, id);
    this.passReads?.lookups.set(id, { query, answer });
    this.#note(query, { id, answer });
    return answer;
  }

  #note(query: ConsulQuery, { id, answer }: { readonly id: string; readonly answer: Lookup<unknown> }): void {
    this.dependencies.set(id, query);
    if (answer.kind !== 'known' || !isList(query)) return;
    this.lists[isEmptyAnswer(answer.value as ConsulAnswer<ConsulQuery>) ? 'empty' : 'filled'].add(id);
  }

  noteMembers(members: readonly string[]): void {
    for (const member of members) this.members.add(member);
    this.passReads?.members.push(members);
  }

  /** Whether a pass would read the same now. */
  isSame({ lookups }: PassReads): boolean {
    for (const [id, { query, answer }] of lookups) {
      if (!isSameAnswer(this.world.lookUp(query, id), answer)) return false;
    }
    return true;
  }

  /** Records what a pass has read. */
  repeat({ lookups, members }: PassReads): void {
    for (const [id, { query, answer }] of lookups) this.#note(query, { id, answer });
    for (const some of members) this.noteMembers(some);
  }

  /** The text of a file; undefined if it is not known yet. */
  readFile(path: string): string | undefined {
    this.files.add(path);
    const knowledge = this.world.lookUpFile(path);
    if (knowledge.kind === 'known') {
      this.secrets.take(knowledge.value);
      return knowledge.value;
    }
    this.missingFiles.add(path);
    return undefined;
  }

  readTime(): Date {
    this.time = 'read';
    return this.world.now ?? new Date();
  }

  /** A variable of the daemon's environment; undefined if it is not set. */
  readVariable(name: string): string | undefined {
    const value = this.world.env(name);
    if (value !== undefined) this.secrets.take(value);
    return value;
  }
}

/** An answer stays the same object until it changes. */
function isSameAnswer(one: Lookup<unknown>, other: Lookup<unknown>): boolean {
  if (one.kind !== 'known' || other.kind !== 'known') return one.kind === other.kind;
  return one.value === other.value && one.former === other.former;
}

/** The fields of a template's context. Without an environment, `environment` is an empty text. */
export function contextOf({ vars, environment = '' }: RenderWorld): Pick<RenderWorld, 'vars' | 'environment'> {
  return { vars, environment };
}
