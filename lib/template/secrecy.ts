import { leastSecretLength } from '../model/redaction.ts';
import { Markup } from './format.ts';

/**
 * The secret texts of one render: values of `file` and `env`, and values that helpers compute from them. They are compared by
 * content, because a text cannot have a mark. A password and a host name look alike, so all of them are secret.
 */
export class SecretTexts {
  readonly #texts = new Set<string>();
  readonly #objects = new WeakSet<object>();

  get texts(): ReadonlySet<string> {
    return this.#texts;
  }

  /** Adds a value with everything in it. Names of fields are not secret. */
  take(value: unknown): void {
    if (typeof value === 'number' || typeof value === 'string' || typeof value === 'bigint') {
      const text = String(value);
      if (text.length >= leastSecretLength) this.#texts.add(text);
    } else if (typeof value === 'object' && value !== null && !this.#objects.has(value)) {
      this.#objects.add(value);
      if (value instanceof Markup) this.take(value.text);
      else for (const inner of Object.values(value)) this.take(inner);
    }
  }

  has(value: unknown): boolean {
    if (typeof value === 'number' || typeof value === 'string' || typeof value === 'bigint')
      return this.#texts.has(String(value));
    return typeof value === 'object' && value !== null && this.#objects.has(value);
  }

  /** A helper computed `result` from `args`. The result of a secret is a secret, unless it is one of the arguments unchanged. */
  trace({ args, result }: { readonly args: readonly unknown[]; readonly result: unknown }): void {
    if (this.#texts.size > 0 && !args.includes(result) && args.some((arg) => this.has(arg))) this.take(result);
  }
}
