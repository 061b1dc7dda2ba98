import { hostname, userInfo } from 'node:os';
import { Argument, type Command, InvalidArgumentError } from 'commander';
import type { z } from 'zod';
import type { maintenanceAnswer, maintenanceOrderAnswer } from '../lib/http/maintenance-shapes.ts';
import { parseDuration } from '../lib/model/duration.ts';
import { commandToEnd } from '../lib/model/maintenance.ts';
import type { ExitCode } from './exit-code.ts';
import { type AskOptions, addAskOptions } from './option.ts';
import { printJson, printLine, stripControls, styled } from './terminal.ts';

type Maintenance = z.output<typeof maintenanceAnswer>['maintenance'][number];
type Ordered = z.output<typeof maintenanceOrderAnswer>;

interface CommandOptions extends AskOptions {
  readonly for?: string;
  readonly reason?: string;
  readonly dryRun?: true;
  readonly tokenFile?: string;
}

const help = `
In maintenance, bridges follow what Sentinel decides: records, DNS and files stay current. They order nothing: no failover of a
crashed master, no completion of a failover, no pause or demotion of a former master, no change at the Sentinels. A failover by
hand needs --replica. Sentinel and Redis Cluster themselves still fail over. Without a name it is about all masters and clusters
of the environment.

Exit codes: 0 done, or there was nothing to end; 1 failed; 2 wrong usage.

Examples:
  $ switchmaster maintenance on shard1 --for 30m --reason 'Redis 8 upgrade'
  $ switchmaster maintenance status
  $ switchmaster maintenance off shard1`;

export function addMaintenance(program: Command, done: (code: ExitCode) => void): void {
  const command = program
    .command('maintenance')
    .description('Let the daemons only follow what Sentinel and Redis Cluster decide, and order nothing.')
    .addArgument(new Argument('<action>', 'what to do').choices(['on', 'off', 'status']))
    .argument('[name]', 'a master or a cluster; default: all of them')
    .option('--for <duration>', 'how long it lasts, such as 30m; default: until off', readLength)
    .option('--reason <text>', 'shown wherever the maintenance is shown')
    .option('--dry-run', 'only show what would change')
    .option('--token-file <path>', 'a file with the API token; default: SWITCHMASTER_API_TOKEN, else api.tokenFile');
  addAskOptions(command)
    .addHelpText('after', help)
    .action(async (action: 'on' | 'off' | 'status', master: string | undefined, options: CommandOptions) => {
      if (action !== 'on' && (options.for !== undefined || options.reason !== undefined))
        command.error('error: --for and --reason are for maintenance on', { exitCode: 2 });
      done(
        await (action === 'status'
          ? showMaintenance(master, options)
          : orderMaintenance(action, { ...options, master })),
      );
    });
}

async function showMaintenance(master: string | undefined, options: CommandOptions): Promise<ExitCode> {
  const { ask, requireFollowed } = await import('./api-client.ts');
  const { maintenanceAnswer } = await import('../lib/http/maintenance-shapes.ts');
  const answer = await ask({ api: options, path: '/v1/maintenance' }, maintenanceAnswer);
  const concerns = (one: Maintenance) => master === undefined || one.master === null || one.master === master;
  const maintenance = answer.maintenance.filter(concerns);
  // For a name that nobody follows, its error suggests the most similar one.
  if (master !== undefined && maintenance.every((one) => one.master === null)) await requireFollowed(master, options);
  if (options.json === true) printJson({ maintenance });
  else for (const line of drawMaintenance(maintenance, master)) printLine(line);
  return 0;
}

async function orderMaintenance(
  state: 'on' | 'off',
  options: CommandOptions & { readonly master: string | undefined },
): Promise<ExitCode> {
  const { requireFollowed, order, readToken } = await import('./api-client.ts');
  const { maintenanceOrderAnswer } = await import('../lib/http/maintenance-shapes.ts');
  const { master, reason, dryRun } = options;
  const token = await readToken(options.tokenFile);
  if (state === 'on' && master !== undefined) await requireFollowed(master, options);
  const body = {
    state,
    by: who(),
    ...(master === undefined ? {} : { master }),
    ...(options.for === undefined ? {} : { for: options.for }),
    ...(reason === undefined ? {} : { reason }),
    ...(dryRun === undefined ? {} : { dryRun }),
  };
  const answer = await order(
    { api: options, path: '/v1/maintenance', token, body, timeoutMs: 30_000 },
    maintenanceOrderAnswer,
  );
  if (options.json === true) printJson(answer);
  else for (const line of drawOrdered(answer, { state, master })) printLine(line);
  return 0;
}

/** For people who read it later. */
function who(): string {
  const host = hostname();
  try {
    return `${userInfo().username}@${host}`;
  } catch {
    // A container may run under a uid without a name.
    return host;
  }
}

function drawOrdered(
  { changed, dryRun, before, after, maintenance }: Ordered,
  { state, master }: { readonly state: 'on' | 'off'; readonly master: string | undefined },
): readonly string[] {
  const subject = stripControls(master ?? 'all masters');
  const [would, is] = dryRun ? ['would be ', 'Nothing was changed.'] : ['', ''];
  const headline =
    state === 'on'
      ? `${styled('bold', subject)}  ${styled('yellow', `maintenance ${would}on`)}  ${describeTimes(after)}`
      : changed
        ? `${styled('bold', subject)}  ${styled('green', `maintenance ${would}off`)}`
        : `${styled('bold', subject)}  maintenance was not on`;
  const replaced = state === 'on' && before !== null ? [stripControls(`  replaces: ${before.text}`)] : [];
  const others =
    state === 'off' ? maintenance.filter((one) => one.state === 'on' && one.master !== (master ?? null)) : [];
  const left = others.filter((one) => master === undefined || one.master === null);
  return [
    headline,
    ...replaced,
    ...left.map((one) => stripControls(`  still on: ${one.text}; ${commandToEnd(one.master)} ends it`)),
    ...(is === '' ? [] : [is]),
  ];
}

function drawMaintenance(maintenance: readonly Maintenance[], master: string | undefined): readonly string[] {
  const on = maintenance.filter(({ state }) => state === 'on');
  const none = master === undefined ? 'Nothing is in maintenance.' : `${master} is not in maintenance.`;
  if (on.length === 0) return [stripControls(none)];
  return on.flatMap((one) => [
    `${styled('bold', stripControls(one.master ?? 'all masters'))}  ${styled('yellow', 'in maintenance')}  ${describeTimes(one)}`,
    `  $ ${stripControls(commandToEnd(one.master))}`,
  ]);
}

/** Who, since when, until when and why. */
function describeTimes(maintenance: Maintenance | null): string {
  const text = maintenance?.text ?? '';
  return stripControls(text.slice(text.indexOf(' in maintenance: ') + ' in maintenance: '.length));
}

function readLength(value: string): string {
  const ms = parseDuration(value);
  if (ms !== undefined && ms >= 1_000 && ms <= 30 * 86_400_000) return value;
  throw new InvalidArgumentError('It is not a duration from 1s to 30d.');
}
