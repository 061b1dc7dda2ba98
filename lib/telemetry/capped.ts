const maxTextLength = 4_096;
const maxItems = 100;
const maxDepth = 8;

/** How many characters a copy may have. What comes after them is `...`. */
export class TextBudget {
  readonly characters: number;
  #left: number;

  constructor(characters: number) {
    this.characters = characters;
    this.#left = characters;
  }

  get spent(): number {
    return this.characters - Math.max(0, this.#left);
  }

  get isSpent(): boolean {
    return this.#left <= 0;
  }

  spend(characters: number): void {
    this.#left -= characters;
  }
}

/**
 * Copies a value as plain data of bounded size. The copy cuts long texts, long lists and deep trees, and marks the cuts.
 */
export function capped(value: unknown, budget = new TextBudget(Number.POSITIVE_INFINITY)): unknown {
  return cappedAt(0, value, budget);
}

function cappedAt(depth: number, value: unknown, budget: TextBudget): unknown {
  budget.spend(8);
  switch (typeof value) {
    case 'string':
      return cappedText(value, budget);
    case 'bigint':
      return value.toString();
    case 'number':
      return Number.isFinite(value) ? value : null;
    case 'boolean':
      return value;
    case 'object':
      return value === null ? null : cappedObject(depth, value, budget);
    default:
      return null;
  }
}

function cappedText(value: string, budget: TextBudget): string {
  if (budget.isSpent) return '...';
  const text =
    value.length <= maxTextLength ? value : `${value.slice(0, maxTextLength)}... (${value.length} characters)`;
  budget.spend(text.length);
  return text;
}

function cappedObject(depth: number, value: object, budget: TextBudget): unknown {
  if (depth >= maxDepth || budget.isSpent) return '...';
  if ('toJSON' in value && typeof value.toJSON === 'function') return cappedAt(depth + 1, value.toJSON(), budget);
  if (value instanceof Error) return cappedText(value.message, budget);
  if (value instanceof Map) return cappedObject(depth, Object.fromEntries(value), budget);
  if (value instanceof Set) return cappedObject(depth, [...value], budget);
  if (Array.isArray(value)) {
    const items = value.slice(0, maxItems).map((item) => cappedAt(depth + 1, item, budget));
    return value.length <= maxItems ? items : [...items, `... (${value.length} items)`];
  }
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  const kept = entries.slice(0, maxItems).map(([key, inner]) => {
    return [cappedText(key, budget), cappedAt(depth + 1, inner, budget)];
  });
  return Object.fromEntries(entries.length <= maxItems ? kept : [...kept, ['...', `${entries.length} keys`]]);
}
