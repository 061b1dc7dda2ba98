import type { SwitchmasterError } from '../../errors.ts';
import { defaultRenderLimits } from '../budget.ts';
import { templateFailure } from '../helper.ts';

/*
 * The limits of compilations and renders. In the event loop, nothing else happens meanwhile, so a template gets little time
 * there. A template that needs more gets a process of its own.
 */

/** How long one compilation or one render may hold up the event loop. */
const loopMs = 40;
/** The same while the program starts: V8 has compiled nothing yet, and there are no clients to be kept waiting. */
const startingLoopMs = 150;
const startingS = 10;

export function loopLimitMs(): number {
  return process.uptime() < startingS ? startingLoopMs : loopMs;
}

/** A single native operation on such a text takes some milliseconds. */
export const loopLimits = { maxOutputBytes: 1024 * 1024 };

const hardMs = 3 * defaultRenderLimits.maxMs;
const longMs = 60_000;

export const processLimits = {
  /**
   * V8 ends a compilation or render after this time. A render usually fails before, at `defaultRenderLimits.maxMs` of processor
   * time.
   */
  hardMs,
  /** The same for one that has hardly had the processor in `hardMs`. */
  starvedMs: longMs - 2 * hardMs,
  /** The daemon ends a process that takes more until it replies. */
  render: { cpuMs: 4 * defaultRenderLimits.maxMs, wallMs: longMs },
  /** The start of the process, and the compilation. */
  start: { cpuMs: 15_000, wallMs: 2 * longMs },
  maxHeapMiB: 256,
} as const;

/** Renders in a row, because what a render has read names more to read. */
export const maxPasses = 64;

/** What a template reads depends on what it has read, without an end. */
export function endlessReads(file: string, passes: number): SwitchmasterError {
  return templateFailure(`${file} reads something new each time it is rendered (${passes} times).`);
}
