import { SwitchmasterError } from '../errors.ts';
import type { PrintSite } from './format.ts';
import { templateFailure } from './helper.ts';

/* What one render may take: the daemon does nothing else meanwhile. */

export interface RenderLimits {
  readonly maxOutputBytes: number;
  /** The limit of helper calls, passes of loops and prints. It ends a template with nested loops over long lists. */
  readonly maxSteps: number;
  /** The limit for the time, in milliseconds. The daemon does nothing else meanwhile. */
  readonly maxMs: number;
}

export const defaultRenderLimits: RenderLimits = {
  maxOutputBytes: 32 * 1024 * 1024,
  maxSteps: 5_000_000,
  maxMs: 2_000,
};

export interface Budget {
  /** Counts one step, and the characters that it rendered. Throws at the limits of steps, time and memory. */
  spend(site: PrintSite, characters?: number): void;
}

/** A text counts again for each block around it. */
const blocksAround = 8;

export function makeBudget({ maxSteps, maxMs, maxOutputBytes }: RenderLimits): Budget {
  const startMs = performance.now();
  let steps = 0;
  let rendered = 0;
  return {
    spend(site, characters = 0) {
      steps += 1;
      rendered += characters;
      if (steps > maxSteps) throw atSite(site, templateFailure(`the template does not end within ${maxSteps} steps.`));
      if (rendered > maxOutputBytes * blocksAround) {
        throw atSite(site, templateFailure(`the output is larger than ${maxOutputBytes} bytes.`));
      }
      // To read the clock takes longer than a step.
      if (steps % 64 === 0 && performance.now() - startMs > maxMs) {
        throw atSite(site, templateFailure(`the template does not end within ${maxMs} ms. Loop over fewer values.`));
      }
    },
  };
}

/** An error that has a place already comes from an inner call and stays unchanged. */
export function atSite(site: PrintSite, thrown: unknown): SwitchmasterError {
  const error = SwitchmasterError.from(thrown, 'template-failed');
  if (error.details.line !== undefined) return error;
  const { file, line, column, text } = site;
  const message = `${file}:${line}:${column}: {{${text}}}: ${error.message}`;
  return new SwitchmasterError(error.code, message, { cause: error, details: { file, line, column } });
}
