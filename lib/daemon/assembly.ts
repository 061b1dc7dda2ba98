import { SwitchmasterError } from '../errors.ts';
import type { Part, ReloadCause, StopOptions } from '../part.ts';
import type { Log } from '../telemetry/log.ts';

/** How to build a part, and from which settings. */
export interface Blueprint {
  readonly name: string;
  /** A reload keeps a part whose settings have the same hash. */
  readonly settingsHash: string;
  build(): Part;
}

/** What each part gets at least, however long those before it have taken. */
const leastGraceMs = 1_000;

interface BecomeOptions {
  /** For all parts together. */
  readonly graceMs: number;
  readonly cause: ReloadCause;
}

interface Built {
  readonly part: Part;
  readonly settingsHash: string;
}

/*
 * The running parts, in the order of starting. Later parts may use earlier ones, so they stop in reverse. A part's name
 * identifies it across reloads. A part that fails to start or to stop does not affect the others.
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

  /** The running part of a class. */
  find<P extends Part>(kind: new (...options: never[]) => P): P | undefined {
    return this.parts.find((part): part is P => part instanceof kind);
  }

  /** What is not ready, as `part: what`. */
  missing(): readonly string[] {
    return this.parts.flatMap((part) => {
      const readiness = part.ready();
      return readiness.ready ? [] : readiness.missing.map((what) => `${part.name}: ${what}`);
    });
  }

  /** Stops the parts that are no longer wanted or have changed, then starts the new ones. Keeps all others running. */
  async become(blueprints: readonly Blueprint[], { graceMs, cause }: BecomeOptions): Promise<void> {
    const wanted = new Map(blueprints.map((blueprint) => [blueprint.name, blueprint]));
    const kept = new Map<string, Built>();
    const untilMs = performance.now() + graceMs;
    const leftMs = () => Math.min(graceMs, Math.max(leastGraceMs, untilMs - performance.now()));
    const isKept = ({ part, settingsHash }: Built) => wanted.get(part.name)?.settingsHash === settingsHash;
    const ending = this.#built.filter((built) => !isKept(built));
    await Promise.all(ending.map(({ part }) => part.endOrders?.({ graceMs })));
    for (const built of this.#built.toReversed()) {
      if (isKept(built)) kept.set(built.part.name, built);
      else await this.#stop(built.part, { graceMs: leftMs(), cause: wanted.has(built.part.name) ? 'reload' : 'end' });
    }
    this.#built = [];
    for (const blueprint of blueprints) {
      const built = kept.get(blueprint.name);
      built?.part.refresh?.(cause);
      this.#built.push(built ?? (await this.#start(blueprint)));
    }
  }

  async stop(options: { readonly graceMs: number }): Promise<void> {
    await this.become([], { ...options, cause: 'order' });
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

/** Replaces a part that failed to start: it is never ready, and the next reload builds the part again. */
function brokenPart(name: string, thrown: unknown): Part {
  const { message } = SwitchmasterError.from(thrown);
  return {
    name,
    start: () => {},
    stop: async () => {},
    ready: () => ({ ready: false, missing: [`it failed to start: ${message}`] }),
  };
}
