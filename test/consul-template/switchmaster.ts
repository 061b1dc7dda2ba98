import type { ConsulClient } from '../../lib/client/consul.ts';
import { SwitchmasterError } from '../../lib/errors.ts';
import { type ConsulQuery, queryId } from '../../lib/model/query.ts';
import { type CompiledTemplate, compileTemplate } from '../../lib/template/compile.ts';
import type { RenderWorld } from '../../lib/template/scope.ts';
import { environment, fileText } from './data.ts';
import type { Outcome } from './outcome.ts';
import type { Pair } from './pair.ts';

const filePath = '/fixture.txt';

/** Renders pairs with answers of Consul, each of which is read once. */
export class SwitchmasterSide {
  readonly #client: ConsulClient;
  readonly #now: Date;
  readonly #answers = new Map<string, unknown>();

  /** `now` is the time that templates write. */
  constructor(client: ConsulClient, now: Date) {
    this.#client = client;
    this.#now = now;
  }

  async render({ switchmaster, format, delimiters }: Pair): Promise<Outcome> {
    try {
      const text = switchmaster.replaceAll('%FILE%', filePath);
      const template = compileTemplate({
        template: { file: 't.hbs', text },
        format,
        ...(delimiters === undefined ? {} : { delimiters }),
      });
      return await this.#renderAll(template);
    } catch (thrown) {
      return { kind: 'error', message: SwitchmasterError.from(thrown).message };
    }
  }

  /** Renders until Consul has answered everything that the template reads. */
  async #renderAll(template: CompiledTemplate): Promise<Outcome> {
    for (;;) {
      const result = template.render(this.#world);
      switch (result.kind) {
        case 'rendered':
          return { kind: 'text', text: result.text };
        case 'failed':
          return { kind: 'error', message: result.error.message };
        case 'pending':
          if (result.missing.length === 0) return { kind: 'waits' };
          await Promise.all(result.missing.map((query) => this.#ask(query)));
      }
    }
  }

  async #ask(query: ConsulQuery): Promise<void> {
    const { value } = await this.#client.read(query);
    this.#answers.set(queryId(query), value);
  }

  get #world(): RenderWorld {
    return {
      vars: {},
      environment: undefined,
      now: this.#now,
      env: (name) => environment[name],
      lookUpFile: (path) => (path === filePath ? { kind: 'known', value: fileText } : { kind: 'unknown' }),
      lookUp: (_query, id) =>
        this.#answers.has(id) ? { kind: 'known', value: this.#answers.get(id) as never } : { kind: 'unknown' },
    };
  }
}
