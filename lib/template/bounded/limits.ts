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

export const processLimits = {
  /**
   * V8 ends a compilation or render after this time. A render usually fails before, at `defaultRenderLimits.maxMs` of processor
   * time.
   */
  hardMs: 3 * defaultRenderLimits.maxMs,
  /** The daemon ends a process that does not reply within this time. */
  killMs: 4 * defaultRenderLimits.maxMs,
  /** A process that starts may have to wait for a processor. */
  startMs: 15_000,
  maxHeapMiB: 256,
} as const;

/** What a template reads depends on what it has read, without an end. */
export function endlessReads(file: string, passes: number): SwitchmasterError {
  return templateFailure(`${file} reads something new each time it is rendered (${passes} times).`);
}
