import { leastSecretLength } from '../model/redaction.ts';
import { Markup } from './format.ts';

/**
 * The texts of one render that came from `file` or `env`, or that helpers made of such: told apart by what they are, for
 * nothing can be attached to a text. Nobody can tell a password from a host name by its looks, so all of them are secret.
 */
export class SecretTexts {
  readonly #texts = new Set<string>();
  readonly #objects = new WeakSet<object>();

  get texts(): ReadonlySet<string> {
    return this.#texts;
  }

  /** Takes a value with everything in it; names of fields are not secret. */
  take(value: unknown): void {
    if (typeof value === 'number' || typeof value === 'string') {
      const text = String(value);
      if (text.length >= leastSecretLength) this.#texts.add(text);
    } else if (typeof value === 'object' && value !== null && !this.#objects.has(value)) {
      this.#objects.add(value);
      if (value instanceof Markup) this.take(value.text);
      else for (const inner of Object.values(value)) this.take(inner);
    }
  }

  has(value: unknown): boolean {
    if (typeof value === 'number' || typeof value === 'string') return this.#texts.has(String(value));
    return typeof value === 'object' && value !== null && this.#objects.has(value);
  }

  /** A helper made `result` of `args`: of secrets come secrets. What it only chose among them is what it was. */
  trace({ args, result }: { readonly args: readonly unknown[]; readonly result: unknown }): void {
    if (this.#texts.size > 0 && !args.includes(result) && args.some((arg) => this.has(arg))) this.take(result);
  }
}
