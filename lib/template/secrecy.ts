import { SwitchmasterError } from '../errors.ts';
import { leastSecretLength } from '../model/redaction.ts';
import { Markup } from './format.ts';

/** The daemon removes every secret from messages, so it has to know each. */
const maxCharacters = 16 * 1024 * 1024;

/**
 * The secret texts of one render: values of `file` and `env`, and values that helpers compute from them. They are compared by
 * content, because a text cannot have a mark. A password and a host name look alike, so all of them are secret.
 */
export class SecretTexts {
  readonly #texts = new Set<string>();
  #characters = 0;
  readonly #objects = new WeakSet<object>();

  get texts(): ReadonlySet<string> {
    return this.#texts;
  }

  /** Adds a value with everything in it. Names of fields are not secret. */
  take(value: unknown): void {
    if (typeof value === 'number' || typeof value === 'string' || typeof value === 'bigint') {
      const text = String(value);
      if (text.length >= leastSecretLength && !this.#texts.has(text)) this.#add(text);
    } else if (typeof value === 'object' && value !== null && !this.#objects.has(value)) {
      this.#objects.add(value);
      if (value instanceof Markup) this.take(value.text);
      else for (const inner of Object.values(value)) this.take(inner);
    }
  }

  #add(text: string): void {
    this.#characters += text.length;
    if (this.#characters > maxCharacters)
      throw new SwitchmasterError(
        'template-failed',
        `the secrets have more than ${maxCharacters} characters: values of file and env, and what is computed from them.`,
      );
    this.#texts.add(text);
  }

  has(value: unknown): boolean {
    if (typeof value === 'number' || typeof value === 'string' || typeof value === 'bigint')
      return this.#texts.size > 0 && this.#texts.has(String(value));
    return typeof value === 'object' && value !== null && this.#objects.has(value);
  }

  /** A helper computed `result` from `args`. The result of a secret is a secret, unless it is one of the arguments unchanged. */
  trace({ args, result }: { readonly args: readonly unknown[]; readonly result: unknown }): void {
    if (this.#texts.size > 0 && !args.includes(result) && args.some((arg) => this.has(arg))) this.take(result);
  }
}
