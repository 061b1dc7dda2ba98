import { loadConfig } from '../lib/config/load.ts';
import type { Config } from '../lib/config/model.ts';
import { Daemon } from '../lib/daemon/daemon.ts';
import { SwitchmasterError } from '../lib/errors.ts';
import { type Log, makeLog } from '../lib/telemetry/log.ts';
import type { ExitCode } from './exit-code.ts';
import { version } from './version.ts';

/** `switchmaster run`, until it is told to stop. Throws `config-invalid` before anything has started. */
export async function runDaemon(paths: readonly string[]): Promise<ExitCode> {
  const load = (): Promise<Config> => loadConfig({ paths, environment: process.env });
  const config = await load();
  const log = makeLog({ ...config.log });
  const releaseDefects = logDefects(log);
  const releaseConsole = logConsole(log);
  const daemon = new Daemon({ config, log, version });
  const stopped = stopSignal();
  const started = daemon.start();
  const releaseSignals = obeySignals({ daemon, load, started });
  try {
    await started;
    await stopped.promise;
    await daemon.stop();
    endAfter(lingerMs, log);
    return 0;
  } finally {
    releaseSignals();
    stopped.release();
    releaseConsole();
    releaseDefects();
  }
}

/** How long the process may live on when everything has been told to stop. */
const lingerMs = 2_000;

/** A handle that nobody released is a defect; it must not keep the operator's restart waiting. */
function endAfter(ms: number, log: Log): void {
  const timer = setTimeout(() => {
    log.error({ open: process.getActiveResourcesInfo() }, 'still open after stop');
    process.exit();
  }, ms);
  timer.unref();
}

/** Resolves with the first TERM or INT; a second one ends the process at once, as impatience should. */
function stopSignal(): { readonly promise: Promise<void>; release(): void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  let count = 0;
  const onSignal = (): void => {
    count += 1;
    if (count > 1) process.exit(1);
    resolve();
  };
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal);
  return { promise, release: () => void process.off('SIGTERM', onSignal).off('SIGINT', onSignal) };
}

function obeySignals(options: {
  readonly daemon: Daemon;
  readonly load: () => Promise<Config>;
  readonly started: Promise<void>;
}): () => void {
  const { daemon, load } = options;
  let reloading = options.started;
  const reload = async (): Promise<void> => {
    try {
      await daemon.reload(await load());
    } catch (thrown) {
      daemon.refuse(SwitchmasterError.from(thrown));
    }
  };
  // One after the other: the last HUP is the one that counts.
  const onHup = (): void => {
    reloading = reloading.then(reload);
  };
  const onUsr1 = (): void => daemon.logState();
  const onForwarded = (signal: NodeJS.Signals): void => daemon.forward(signal);
  process.on('SIGHUP', onHup).on('SIGUSR1', onUsr1);
  for (const signal of forwarded) process.on(signal, onForwarded);
  return () => {
    process.off('SIGHUP', onHup).off('SIGUSR1', onUsr1);
    for (const signal of forwarded) process.off(signal, onForwarded);
  };
}

/**
 * What means nothing to the daemon is for the programs that it supervises. The last three come from the terminal's own
 * doings where there is one: a window that changes its size must not end the workers of an nginx.
 */
const forwarded: readonly NodeJS.Signals[] = [
  'SIGQUIT',
  'SIGUSR2',
  'SIGCONT',
  ...(process.stdout.isTTY ? [] : (['SIGWINCH', 'SIGTTIN', 'SIGTTOU'] as const)),
];

/** A defect in one corner is logged as what it is, and must not take the rest down with it. */
/** Libraries warn on the console, some of them for each connection; the log has its own form, and takes each text once. */
function logConsole(log: Log): () => void {
  const { warn } = console;
  const told = new Set<string>();
  console.warn = (...words: unknown[]): void => {
    const text = words.map(String).join(' ');
    if (told.has(text) || told.size >= mostWarnings) return;
    told.add(text);
    log.warn(text);
  };
  return () => {
    console.warn = warn;
  };
}

const mostWarnings = 100;

function logDefects(log: Log): () => void {
  const onDefect = (thrown: unknown): void => log.error({ error: SwitchmasterError.from(thrown) }, 'defect');
  process.on('uncaughtException', onDefect).on('unhandledRejection', onDefect);
  return () => void process.off('uncaughtException', onDefect).off('unhandledRejection', onDefect);
}
