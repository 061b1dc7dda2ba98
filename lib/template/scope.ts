import type { ConsulAnswer, ConsulQuery } from '../model/query.ts';
import { queryId } from '../model/query.ts';
import { SecretTexts } from './secrecy.ts';

/** What is known of a query. `unknown`: not read yet, or never successfully. */
export type Knowledge<T> = { readonly kind: 'known'; readonly value: T } | { readonly kind: 'unknown' };

/** What a render may look at. Nothing else reaches a template. */
export interface RenderWorld {
  /** `id` is the query's {@link queryId}. */
  know<Q extends ConsulQuery>(query: Q, id: string): Knowledge<ConsulAnswer<Q>>;
  /** The text of a file on this machine. Throws where it cannot be read. */
  knowFile(path: string): Knowledge<string>;
  /** A variable of the daemon's environment. */
  env(name: string): string | undefined;
  /** `vars` of the template's spec. */
  readonly vars: Readonly<Record<string, unknown>>;
  readonly environment: string | undefined;
}

/** Everything that one render asked for: its dependencies, and the members that guards count. */
export class RenderScope {
  readonly world: RenderWorld;
  readonly dependencies = new Map<string, ConsulQuery>();
  readonly missing = new Map<string, ConsulQuery>();
  readonly files = new Set<string>();
  readonly missingFiles = new Set<string>();
  /** Ids of servers, as `service(web) node1/web-1` or `master shard1`: equal for the same member whatever its address. */
  readonly members = new Set<string>();
  /** `host:port` of each master that was read, by name. */
  readonly masters = new Map<string, string>();
  records: 'read' | 'not-read' = 'not-read';
  /** What `file` and `env` gave, and what was made of it. */
  readonly secrets = new SecretTexts();

  constructor(world: RenderWorld) {
    this.world = world;
  }

  /** Reads one thing and remembers that it did; undefined where it is not known yet. */
  read<Q extends ConsulQuery>(query: Q): { readonly value: ConsulAnswer<Q> } | undefined {
    const id = queryId(query);
    this.dependencies.set(id, query);
    const knowledge = this.world.know(query, id);
    if (knowledge.kind === 'known') return { value: knowledge.value };
    this.missing.set(id, query);
    return undefined;
  }

  /** The text of a file; undefined where it is not known yet. */
  readFile(path: string): string | undefined {
    this.files.add(path);
    const knowledge = this.world.knowFile(path);
    if (knowledge.kind === 'known') {
      this.secrets.take(knowledge.value);
      return knowledge.value;
    }
    this.missingFiles.add(path);
    return undefined;
  }

  /** A variable of the daemon's environment; undefined where it is not set. */
  readVariable(name: string): string | undefined {
    const value = this.world.env(name);
    if (value !== undefined) this.secrets.take(value);
    return value;
  }
}

/** What a template sees beside the helpers: without an environment, `environment` is an empty text. */
export function contextOf({ vars, environment = '' }: RenderWorld): Pick<RenderWorld, 'vars' | 'environment'> {
  return { vars, environment };
}
