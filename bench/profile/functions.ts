/** Where a function is, as V8 names it. */
interface CallFrame {
  readonly functionName: string;
  /** A file URL, `node:` and a module, or empty for what V8 itself does. */
  readonly url: string;
  /** From 0. */
  readonly lineNumber: number;
}

/** The format of `.cpuprofile` files. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: CallFrame;
    readonly children?: readonly number[];
  }[];
  readonly samples: readonly number[];
  /** Microseconds since the sample before. */
  readonly timeDeltas: readonly number[];
}

/** The format of `.heapprofile` files. */
export interface AllocationNode {
  readonly callFrame: CallFrame;
  /** Bytes. */
  readonly selfSize: number;
  readonly children: readonly AllocationNode[];
}

/** The cost of one function. `self`: without what it calls; `total`: with it. Milliseconds or bytes. */
export interface FunctionCost {
  readonly name: string;
  /** `lib` and its folder, the name of an npm package, `node`, or `v8`. */
  readonly package: string;
  /** With the line, below the project or the package. */
  readonly file: string;
  readonly self: number;
  readonly total: number;
}

/** The process waits there. */
const waiting = new Set(['(idle)', '(root)']);

/** CPU time by function, in milliseconds, the greatest `self` first, without the time in which the process waits. */
export function cpuByFunction({ nodes, samples, timeDeltas }: CpuProfile): readonly FunctionCost[] {
  const selfById = new Map<number, number>();
  for (const [i, id] of samples.entries()) selfById.set(id, (selfById.get(id) ?? 0) + (timeDeltas[i] ?? 0) / 1_000);
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const costs = new Costs();
  const visit = (id: number): number => {
    const node = byId.get(id);
    if (node === undefined) return 0;
    const self = selfById.get(id) ?? 0;
    return costs.add(node.callFrame, self, () => (node.children ?? []).map(visit));
  };
  const [root] = nodes;
  if (root !== undefined) visit(root.id);
  return costs.list();
}

/** Allocated bytes by function, the greatest `self` first. */
export function allocationByFunction(head: AllocationNode): readonly FunctionCost[] {
  const costs = new Costs();
  const visit = (node: AllocationNode): number =>
    costs.add(node.callFrame, node.selfSize, () => node.children.map(visit));
  visit(head);
  return costs.list();
}

/** The sum of `self` by package, the greatest first. */
export function byPackage(functions: readonly FunctionCost[]): readonly (readonly [string, number])[] {
  const sums = new Map<string, number>();
  for (const one of functions) sums.set(one.package, (sums.get(one.package) ?? 0) + one.self);
  return [...sums].sort(([, a], [, b]) => b - a);
}

class Costs {
  readonly #costs = new Map<string, FunctionCost>();
  /** Functions on the way from the root. One that calls itself counts once in its `total`. */
  readonly #open = new Set<string>();

  /** Adds a node of the tree of calls, and answers its total. `visitChildren` answers theirs. */
  add(frame: CallFrame, self: number, visitChildren: () => readonly number[]): number {
    const place = placeOf(frame);
    const key = `${frame.functionName} ${place.package} ${place.file}`;
    const isOuter = !this.#open.has(key);
    this.#open.add(key);
    const total = visitChildren().reduce((sum, one) => sum + one, self);
    if (isOuter) this.#open.delete(key);
    const before = this.#costs.get(key);
    const name = frame.functionName || '(anonymous)';
    const sums = { self: (before?.self ?? 0) + self, total: (before?.total ?? 0) + (isOuter ? total : 0) };
    this.#costs.set(key, { name, ...place, ...sums });
    return total;
  }

  list(): readonly FunctionCost[] {
    return [...this.#costs.values()]
      .filter(({ name, self, total }) => !waiting.has(name) && self + total > 0)
      .sort((a, b) => b.self - a.self);
  }
}

const project = new URL('../..', import.meta.url).href;

function placeOf({ url, lineNumber }: CallFrame): { readonly package: string; readonly file: string } {
  const line = lineNumber + 1;
  if (url === '') return { package: 'v8', file: '' };
  if (url.startsWith('node:')) return { package: 'node', file: `${url}:${line}` };
  const [, name, rest] = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\/(.*)$/.exec(url) ?? [];
  if (name !== undefined) return { package: name, file: `${rest}:${line}` };
  const file = url.startsWith(project) ? url.slice(project.length) : url;
  const [top = '', folder = ''] = file.split('/');
  return { package: file.split('/').length > 2 ? `${top}/${folder}` : top, file: `${file}:${line}` };
}
