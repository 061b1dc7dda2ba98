import { loadRotating, type RotatingConfig } from '../lib/config/load.ts';
import type { Config } from '../lib/config/model.ts';
import { Daemon } from '../lib/daemon/daemon.ts';
import { SwitchmasterError } from '../lib/errors.ts';
import { FileWatch } from '../lib/file-watch.ts';
import { describeHealth } from '../lib/model/health.ts';
import type { ReloadCause } from '../lib/part.ts';
import { checkSource } from '../lib/renderer/observe/source.ts';
import { type Log, makeLog } from '../lib/telemetry/log.ts';
import { LogStream } from '../lib/telemetry/log-stream.ts';
import { adoptFiles } from './adoption.ts';
import { waitForConfig } from './config-wait.ts';
import { holdSignals, takeHeldSignals } from './early-signals.ts';
import type { ExitCode } from './exit-code.ts';
import { type ServiceManager, takeServiceManager } from './sd-notify.ts';
import { version } from './version.ts';

/** Runs the daemon until TERM or INT. Throws `config-invalid` or `config-unreadable` before anything has started. */
export async function runDaemon(options: {
  readonly paths: readonly string[];
  /** How long to wait for files that cannot be read yet. */
  readonly waitMs: number;
  /** `adopt`: as if every template had `adopt: true`. */
  readonly takeover: 'adopt' | 'as-set';
}): Promise<ExitCode> {
  const { paths, waitMs } = options;
  const prepare = (config: Config) => (options.takeover === 'adopt' ? adoptFiles(config) : config);
  holdSignals();
  const source = { paths, environment: process.env };
  const loaded = await loadFirst(() => loadRotating(source), waitMs);
  const config = prepare(loaded.config);
  const stream = new LogStream(2);
  const log = makeLog({ ...config.log, stream });
  const releaseDefects = logDefects(log);
  const releaseConsole = logConsole(log);
  const daemon = new Daemon({ config, log, version, logLinesLost: () => stream.lost });
  const manager = takeServiceManager(process.env, {
    status: () => describeHealth(daemon.health()),
    onFailure: (cause) => log.warn({ error: SwitchmasterError.from(cause) }, 'cannot notify systemd'),
  });
  const stopped = stopSignal();
  const started = daemon.start();
  const releaseSignals = handleSignals({
    daemon,
    manager,
    // At a start, one wrong template must not stop the other parts. A reload has a running config to keep.
    load: () => loadRotating({ ...source, compile: checkSource }),
    loaded,
    prepare,
    started,
    onRotation: () => log.info('files of secrets or certificates changed'),
    onWait: (error) => log.warn({ error }, 'waiting for files of the config'),
  });
  try {
    await started;
    manager.ready();
    await stopped.promise;
    manager.stopping();
    await daemon.stop();
    endAfter(lingerMs, log);
    return 0;
  } finally {
    manager.close();
    releaseSignals();
    stopped.release();
    releaseConsole();
    releaseDefects();
    stream.flush();
  }
}

/** How long a reload waits: a secret may be replaced at this moment. */
const reloadWaitMs = 5_000;

function loadFirst(load: () => Promise<RotatingConfig>, waitMs: number): Promise<RotatingConfig> {
  return waitForConfig(load, {
    waitMs,
    onWait: ({ message }) => process.stderr.write(`waiting ${waitMs / 1_000} s at most: ${message}\n`),
  });
}

/** How long the process may keep running after everything has stopped. */
const lingerMs = 2_000;

/** Ends the process even if a handle is still open: such a defect must not delay a restart. */
function endAfter(ms: number, log: Log): void {
  const timer = setTimeout(() => {
    log.error({ open: process.getActiveResourcesInfo() }, 'still open after stop');
    process.exit();
  }, ms);
  timer.unref();
}

/** Resolves with the first TERM or INT. A second one ends the process at once. */
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

function handleSignals(options: {
  readonly daemon: Daemon;
  readonly manager: ServiceManager;
  readonly load: () => Promise<RotatingConfig>;
  readonly loaded: RotatingConfig;
  readonly prepare: (config: Config) => Config;
  readonly onRotation: () => void;
  readonly onWait: (error: SwitchmasterError) => void;
  readonly started: Promise<void>;
}): () => void {
  const { daemon, manager, load } = options;
  let { loaded } = options;
  let reloading = options.started;
  const reload = async (read: () => Promise<RotatingConfig>, cause: ReloadCause): Promise<void> => {
    try {
      const next = await waitForConfig(read, { waitMs: reloadWaitMs, onWait: options.onWait });
      if (daemon.isStopping) return;
      loaded = next;
      watch.follow(next.files);
      await daemon.reload(options.prepare(next.config), cause);
    } catch (thrown) {
      daemon.refuse(SwitchmasterError.from(thrown));
    }
  };
  // Reloads run one after the other, so that the last HUP wins.
  const onHup = (): void => {
    reloading = reloading.then(async () => {
      if (daemon.isStopping) return;
      manager.reloading();
      await reload(load, 'order');
      if (!daemon.isStopping) manager.ready();
    });
  };
  // A config file that somebody edits meanwhile waits for its HUP.
  const onChange = (): void => {
    options.onRotation();
    reloading = reloading.then(() => reload(() => loaded.refresh(), 'rotation'));
  };
  const watch = new FileWatch({ files: loaded.files, onChange });
  const onUsr1 = (): void => daemon.logState();
  const onForwarded = (signal: NodeJS.Signals): void => daemon.forward(signal);
  process.on('SIGHUP', onHup).on('SIGUSR1', onUsr1);
  for (const signal of forwarded) process.on(signal, onForwarded);
  // A HUP that came after the config was read would be lost.
  if (takeHeldSignals().has('SIGHUP')) onHup();
  return () => {
    watch.close();
    process.off('SIGHUP', onHup).off('SIGUSR1', onUsr1);
    for (const signal of forwarded) process.off(signal, onForwarded);
  };
}

/**
 * Signals for supervised programs. A terminal sends the last three by itself: a change of its size must not end the workers
 * of an nginx.
 */
const forwarded: readonly NodeJS.Signals[] = [
  'SIGQUIT',
  'SIGUSR2',
  'SIGCONT',
  ...(process.stdout.isTTY ? [] : (['SIGWINCH', 'SIGTTIN', 'SIGTTOU'] as const)),
];

/** Writes warnings of libraries to the log, each text once: some libraries repeat them for each connection. */
function logConsole(log: Log): () => void {
  const { warn } = console;
  const logged = new Set<string>();
  console.warn = (...words: unknown[]): void => {
    const text = words.map(String).join(' ');
    if (logged.has(text) || logged.size >= mostWarnings) return;
    logged.add(text);
    log.warn(text);
  };
  return () => {
    console.warn = warn;
  };
}

const mostWarnings = 100;

/** Logs uncaught errors. They do not end the process: the other parts keep working. */
function logDefects(log: Log): () => void {
  const onDefect = (thrown: unknown): void => log.error({ error: SwitchmasterError.from(thrown) }, 'defect');
  process.on('uncaughtException', onDefect).on('unhandledRejection', onDefect);
  return () => void process.off('uncaughtException', onDefect).off('unhandledRejection', onDefect);
}
