import { SwitchmasterError } from '../errors.ts';
import type { Part, StopOptions } from '../part.ts';
import type { Log } from '../telemetry/log.ts';

/** How to build a part, and what of the config it was built from. */
export interface Blueprint {
  readonly name: string;
  /** A part whose settingsHash has not changed survives a reload. */
  readonly settingsHash: string;
  build(): Part;
}

interface Built {
  readonly part: Part;
  readonly settingsHash: string;
}

/*
 * The parts that run, in the order in which they were started. Later parts may use earlier ones, so they stop in reverse.
 * A part's name stands for it across reloads. No part's failure to start or stop keeps the others from it.
 */
export class Assembly {
  readonly #log: Log;
  #built: Built[] = [];

  constructor(log: Log) {
    this.#log = log;
  }

  get parts(): readonly Part[] {
    return this.#built.map(({ part }) => part);
  }

  /** What is not ready, each with its part before it. */
  missing(): readonly string[] {
    return this.parts.flatMap((part) => {
      const readiness = part.ready();
      return readiness.ready ? [] : readiness.missing.map((what) => `${part.name}: ${what}`);
    });
  }

  /** Stops what is no longer wanted or has changed, then starts what is new; the rest runs on undisturbed. */
  async become(blueprints: readonly Blueprint[], options: { readonly graceMs: number }): Promise<void> {
    const wanted = new Map(blueprints.map((blueprint) => [blueprint.name, blueprint]));
    const kept = new Map<string, Built>();
    for (const built of this.#built.toReversed()) {
      if (wanted.get(built.part.name)?.settingsHash === built.settingsHash) kept.set(built.part.name, built);
      else await this.#stop(built.part, { ...options, cause: wanted.has(built.part.name) ? 'reload' : 'end' });
    }
    this.#built = [];
    for (const blueprint of blueprints) {
      const built = kept.get(blueprint.name);
      built?.part.refresh?.();
      this.#built.push(built ?? (await this.#start(blueprint)));
    }
  }

  async stop(options: { readonly graceMs: number }): Promise<void> {
    await this.become([], options);
  }

  async #start(blueprint: Blueprint): Promise<Built> {
    const startedMs = performance.now();
    try {
      const part = blueprint.build();
      await part.start();
      this.#log.debug({ part: part.name, durationMs: Math.round(performance.now() - startedMs) }, 'part started');
      return { part, settingsHash: blueprint.settingsHash };
    } catch (thrown) {
      this.#log.error({ part: blueprint.name, error: SwitchmasterError.from(thrown) }, 'part failed to start');
      return { part: brokenPart(blueprint.name, thrown), settingsHash: '' };
    }
  }

  async #stop(part: Part, options: StopOptions): Promise<void> {
    try {
      await part.stop(options);
      this.#log.debug({ part: part.name }, 'part stopped');
    } catch (thrown) {
      this.#log.error({ part: part.name, error: SwitchmasterError.from(thrown) }, 'part failed to stop');
    }
  }
}

/** Stands for a part that could not start: never ready, and started anew by the next reload. */
function brokenPart(name: string, thrown: unknown): Part {
  const { message } = SwitchmasterError.from(thrown);
  return {
    name,
    start: () => {},
    stop: async () => {},
    ready: () => ({ ready: false, missing: [`it could not start: ${message}`] }),
  };
}
