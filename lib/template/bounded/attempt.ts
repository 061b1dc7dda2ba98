import type { Session } from 'node:inspector';
import { createContext, Script } from 'node:vm';

/*
 * V8 ends synchronous work after a time, wherever the work is, in two ways. `Runtime.evaluate` of its inspector protocol has a `timeout`, which
 * a thread that V8 has anyway keeps. `vm.Script` has one too, but Node.js starts a thread for it and waits for the end of that
 * thread: 0.2 ms on an idle machine, and several on a busy one. That one is for a Node.js without the inspector.
 *
 * The session is one of this process with itself. Nobody else can connect to it. While it is open, V8 keeps what is given to `console`.
 */

const name = 'switchmaster.work';
const nothing = (): void => undefined;
const place: { work: () => void } = { work: nothing };

/** Has V8 do the work and end it after some milliseconds. `refused`: it did not begin. */
type Limiter = (limitMs: number) => 'done-or-ended' | 'refused';

let byInspector: Limiter | undefined;
let byScript: Limiter | undefined;

/** Does the work once; undefined if V8 ended it. Throws what the work throws. */
export function attemptWithin<T>(limitMs: number, work: () => T): { readonly value: T } | undefined {
  // The end of work within other work would take the other one's limit away.
  if (place.work !== nothing) throw new Error('V8 limits the time of one piece of work at once');
  let outcome: { readonly value: T } | { readonly thrown: unknown } | undefined;
  place.work = () => {
    // What V8 ends is not caught.
    try {
      outcome = { value: work() };
    } catch (thrown) {
      outcome = { thrown };
    }
  };
  try {
    byInspector ??= openInspector();
    if (byInspector(limitMs) === 'refused') {
      byScript ??= openScript();
      byScript(limitMs);
    }
  } finally {
    place.work = nothing;
  }
  return resultOf(outcome);
}

function resultOf<T>(
  outcome: { readonly value: T } | { readonly thrown: unknown } | undefined,
): { readonly value: T } | undefined {
  if (outcome !== undefined && 'thrown' in outcome) throw outcome.thrown;
  return outcome;
}

/** Refuses all work in a Node.js without the inspector. */
function openInspector(): Limiter {
  const session = connect();
  if (session === undefined) return () => 'refused';
  let state: 'waits' | 'began' = 'waits';
  const begin = () => {
    state = 'began';
    place.work();
  };
  Object.defineProperty(globalThis, Symbol.for(name), { value: begin });
  const expression = `globalThis[Symbol.for('${name}')]()`;
  return (timeout) => {
    state = 'waits';
    let result: ReturnType<Limiter> = 'done-or-ended';
    // Called before `post` returns, with an error also for work that V8 ended.
    session.post('Runtime.evaluate', { expression, timeout, silent: true }, (error) => {
      if (error !== null && state === 'waits') result = 'refused';
    });
    return result;
  };
}

function connect(): Session | undefined {
  try {
    const { Session } = process.getBuiltinModule('node:inspector');
    const session = new Session();
    session.connect();
    return session;
  } catch {
    return undefined;
  }
}

function openScript(): Limiter {
  createContext(place);
  const script = new Script('work()');
  return (timeout) => {
    try {
      script.runInContext(place, { timeout });
    } catch (thrown) {
      if ((thrown as { code?: unknown }).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw thrown;
    }
    return 'done-or-ended';
  };
}
