import type { GoNode, GoPipeline } from '../go/syntax.ts';
import { isHelper } from './functions.ts';

/** The names under which `scratch` keeps variables. One name may be declared several times in a file. */
export class ScratchNames {
  readonly #assigned: ReadonlySet<string>;
  readonly #counts = new Map<string, number>();

  constructor(nodes: readonly GoNode[]) {
    this.#assigned = new Set(assignedIn(nodes));
  }

  /** Whether any action changes a variable of this name. */
  isAssigned(name: string): boolean {
    return this.#assigned.has(name);
  }

  take(name: string): string {
    const count = (this.#counts.get(name) ?? 0) + 1;
    this.#counts.set(name, count);
    return count === 1 ? `$${name}` : `$${name} ${count}`;
  }
}

function assignedIn(nodes: readonly GoNode[]): readonly string[] {
  return nodes.flatMap((node) => {
    switch (node.kind) {
      case 'action':
        return assignedBy(node.pipeline);
      case 'if':
      case 'with':
      case 'range':
        return [...assignedBy(node.pipeline), ...assignedIn(node.body), ...assignedIn(node.otherwise ?? [])];
      case 'define':
        return assignedIn(node.body);
      default:
        return [];
    }
  });
}

function assignedBy({ how, sets }: GoPipeline): readonly string[] {
  return how === 'assign' ? sets : [];
}

/** A name for `as |name|`, which must be none of a helper or of a keyword. */
export function freeParam(name: string, taken: readonly string[]): string {
  const isTaken = (one: string) =>
    isHelper(one) || taken.includes(one) || /^(?:true|false|null|undefined|as|this|else|scratch|dot)$/.test(one);
  let free = /^[A-Za-z_]\w*$/.test(name) ? name : 'item';
  while (isTaken(free)) free += '_';
  return free;
}
