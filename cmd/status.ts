import { setTimeout as delay } from 'node:timers/promises';
import { type Command, InvalidArgumentError } from 'commander';
import { findSimilar } from '../lib/config/similar.ts';
import { SwitchmasterError } from '../lib/errors.ts';
import { worstLevel } from '../lib/model/health.ts';
import type { ExitCode } from './exit-code.ts';
import { type AskOptions, addAskOptions } from './option.ts';
import { drawMasters, drawStatus, type Reason, type Status } from './status-tree.ts';
import { printJson, printLine } from './terminal.ts';

interface StatusOptions extends AskOptions {
  readonly problems?: true;
  readonly output?: string;
  /** Seconds between two requests. */
  readonly watch?: number | true;
}

const help = `
Exit codes: 0 all is well, 1 something is not, or nobody answers.

Examples:
  $ switchmaster status --problems
  $ switchmaster status shard1 --watch
  $ switchmaster status --json | jq '.masters[].record.master'`;

export function addStatus(program: Command, done: (code: ExitCode) => void): void {
  const command = program
    .command('status')
    .argument('[name]', 'show one master, cluster or template only')
    .description('Show who is master, who agrees, what follows, and what is not well.')
    .option('--problems', 'show only what is not well, with what to type')
    .option('-w, --watch [seconds]', 'show it again every 2 seconds, until Ctrl-C', readSeconds);
  addAskOptions(command)
    .addHelpText('after', help)
    .action(async (name: string | undefined, options: StatusOptions) => {
      done(await (options.watch === undefined ? showStatus(name, options) : watchStatus(name, options)));
    });
}

async function watchStatus(name: string | undefined, options: StatusOptions): Promise<ExitCode> {
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort()).once('SIGTERM', () => stop.abort());
  const everyMs = (typeof options.watch === 'number' ? options.watch : 2) * 1_000;
  let code: ExitCode = 0;
  for (let first = true; !stop.signal.aborted; first = false) {
    if (process.stdout.isTTY === true) process.stdout.write('\x1b[H\x1b[2J');
    else if (!first && options.json !== true) printLine('');
    try {
      code = await showStatus(name, options);
    } catch (thrown) {
      if (first) throw thrown;
      printLine(SwitchmasterError.from(thrown).message);
    }
    await delay(everyMs, undefined, { signal: stop.signal }).catch(() => undefined);
  }
  return code;
}

async function showStatus(name: string | undefined, options: StatusOptions): Promise<ExitCode> {
  const all = await readStatus(options);
  const status = name === undefined ? all : select(all, name);
  if (options.json === true) printJson(status);
  else for (const line of draw(status, options)) printLine(line);
  return status.health.level === 'well' ? 0 : 1;
}

function draw(status: Status, { output, problems }: StatusOptions): readonly string[] {
  const nowMs = Date.now();
  if (output === 'table') return drawMasters(status, nowMs);
  return drawStatus(status, { parts: problems === true ? 'problems' : 'all', nowMs });
}

/** Throws `not-found` where nothing has the name. */
function select({ health, ...all }: Status, name: string): Status {
  const named = <T extends { readonly name: string }>(items: readonly T[]) => items.filter((one) => one.name === name);
  const masters = named(all.masters);
  const [clusters, templates, desired] = [named(all.clusters), named(all.templates), named(all.desired)];
  if (masters.length + clusters.length + templates.length === 0) {
    const names = [...all.masters, ...all.clusters, ...all.templates].map((one) => one.name);
    const similar = findSimilar(name, names);
    const hint = similar === undefined ? 'switchmaster status shows everything' : `did you mean ${similar}?`;
    throw new SwitchmasterError(
      'not-found',
      `no master, cluster or template is called ${JSON.stringify(name)} (${hint})`,
    );
  }
  const isOfAll = ({ subject: { kind }, code }: Reason) =>
    kind === 'consul' || kind === 'config' || code.startsWith('maintenance');
  const reasons = health.reasons.filter(
    (reason) => reason.subject.name === name || (isOfAll(reason) && reason.subject.kind !== 'master'),
  );
  return { health: { level: worstLevel(reasons), reasons }, masters, desired, clusters, templates, instances: [] };
}

async function readStatus(api: AskOptions): Promise<Status> {
  const { ask } = await import('./api-client.ts');
  const { healthAnswer } = await import('../lib/http/health-shapes.ts');
  const shapes = await import('../lib/http/shapes.ts');
  const [health, masters, desired, clusters, instances, templates] = await Promise.all([
    ask({ api, path: '/v1/health' }, healthAnswer),
    ask({ api, path: '/v1/masters' }, shapes.mastersAnswer),
    ask({ api, path: '/v1/desired' }, shapes.desiredAnswer),
    ask({ api, path: '/v1/clusters' }, shapes.clustersAnswer),
    ask({ api, path: '/v1/instances' }, shapes.instancesAnswer),
    ask({ api, path: '/v1/templates' }, shapes.templatesAnswer),
  ]);
  return { health, ...masters, ...desired, ...clusters, ...instances, ...templates };
}

function readSeconds(value: string): number {
  const seconds = Number(value);
  if (Number.isFinite(seconds) && seconds >= 0.2 && seconds <= 3_600) return seconds;
  throw new InvalidArgumentError('It is not a number of seconds from 0.2 to 3600.');
}
