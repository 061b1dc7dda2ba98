import { SwitchmasterError } from '../errors.ts';
import { Markup, type PrintSite } from './format.ts';
import { templateFailure } from './helper.ts';

/*
 * What one render may take, counted by itself: its errors name the place. `bounded/` limits it from outside as well.
 */

export interface RenderLimits {
  readonly maxOutputBytes: number;
  /** The limit of helper calls, passes of loops and prints. It ends a template with nested loops over long lists. */
  readonly maxSteps: number;
  /** The limit for the processor time, in milliseconds. A busy machine must not make a template fail. */
  readonly maxMs: number;
}

export const defaultRenderLimits: RenderLimits = {
  maxOutputBytes: 32 * 1024 * 1024,
  maxSteps: 5_000_000,
  maxMs: 3_000,
};

export interface Budget {
  /** Both are sums. */
  readonly spent: { readonly steps: number; readonly characters: number };
  /** Whether any limit was reached. */
  readonly limit: 'kept' | 'reached';
  /** Counts one step, or more, and the characters that it rendered. Throws at the limits of steps, time and memory. */
  spend(site: PrintSite, characters?: number, count?: number): void;
  /** Throws if `value`, which is an argument or a result, is a longer text than the output may be. */
  measure(site: PrintSite, value: unknown): void;
  /** Throws if the whole output is too large. */
  measureOutput(file: string, text: string): void;
}

const stepsBetweenLooks = 128;

/** A text counts again for each block around it. */
const blocksAround = 8;

export function makeBudget({ maxSteps, maxMs, maxOutputBytes }: RenderLimits): Budget {
  const start = { ms: performance.now(), cpu: process.cpuUsage() };
  let steps = 0;
  let rendered = 0;
  let nextLook = stepsBetweenLooks;
  let limit: Budget['limit'] = 'kept';
  const stop = (site: PrintSite, message: string): never => {
    limit = 'reached';
    throw atSite(site, templateFailure(message));
  };
  return {
    get limit() {
      return limit;
    },
    get spent() {
      return { steps, characters: rendered };
    },
    spend(site, characters = 0, count = 1) {
      steps += count;
      rendered += characters;
      if (steps > maxSteps) stop(site, `the template does not end within ${maxSteps} steps.`);
      if (rendered > maxOutputBytes * blocksAround) stop(site, `the output is larger than ${maxOutputBytes} bytes.`);
      // Reading the clock takes longer than a step, and reading the processor time much longer.
      if (steps < nextLook) return;
      nextLook = steps + stepsBetweenLooks;
      if (performance.now() - start.ms > maxMs && usedMs(start.cpu) > maxMs) {
        stop(site, `the template does not end within ${maxMs} ms. Loop over fewer values.`);
      }
    },
    measure(site, value) {
      const text = value instanceof Markup ? value.text : value;
      if (typeof text !== 'string' || text.length <= maxOutputBytes) return;
      stop(site, `the result is longer than ${maxOutputBytes} characters.`);
    },
    measureOutput(file, text) {
      if (Buffer.byteLength(text) <= maxOutputBytes) return;
      limit = 'reached';
      throw templateFailure(`${file}: the output is larger than ${maxOutputBytes} bytes.`);
    },
  };
}

function usedMs(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1_000;
}

/** An error that has a place already comes from an inner call and stays unchanged. */
export function atSite(site: PrintSite, thrown: unknown): SwitchmasterError {
  const error = SwitchmasterError.from(thrown, 'template-failed');
  if (error.details.line !== undefined) return error;
  const { file, line, column, text } = site;
  const message = `${file}:${line}:${column}: {{${text}}}: ${error.message}`;
  return new SwitchmasterError(error.code, message, { cause: error, details: { file, line, column } });
}
