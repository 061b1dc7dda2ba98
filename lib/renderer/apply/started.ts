import type { ChildProcess } from 'node:child_process';

/** A command that was started, or could not be. */
export interface Started {
  readonly pid: number | undefined;
  readonly ended: Promise<End>;
}

export type End =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'killed'; readonly signal: NodeJS.Signals }
  | { readonly kind: 'not-started'; readonly cause: NodeJS.ErrnoException };

/** How a process ends. Call it in the tick in which the process is started. */
export function follow(child: ChildProcess): Started {
  const { promise: ended, resolve } = Promise.withResolvers<End>();
  child.once('error', (cause) => resolve({ kind: 'not-started', cause }));
  child.once('exit', (code, signal) =>
    resolve(signal === null ? { kind: 'exited', code: code ?? 1 } : { kind: 'killed', signal }),
  );
  return { pid: child.pid, ended };
}
