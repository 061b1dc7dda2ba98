import type { Command } from 'commander';
import type { RemovalOutcome, RemovalPlan } from '../lib/removal/removal.ts';
import { chooseConfig } from './config-paths.ts';
import { confirmed } from './confirmation.ts';
import type { ExitCode } from './exit-code.ts';
import { configOption, jsonOption } from './option.ts';
import { type Branch, drawTree, printJson, printLine, stripControls, styled } from './terminal.ts';

interface ForgetOptions {
  readonly config: readonly string[];
  readonly cluster?: true;
  readonly environment?: string;
  readonly dryRun?: true;
  readonly ignoreUnreachable?: true;
  readonly yes?: true;
  readonly json?: true;
}

const help = `
It deletes the record, the plain keys, the services and their node, and what bridges noted about the master. It first shows
all of it, and what stays. It refuses while a Sentinel monitors the master, and prints the commands that end that. Nothing
that changed after the preview is deleted. Bridges then leave the servers of the master alone.

After a change of \`environment\` in the config, --environment removes what the former environment has of the master. It needs
no change at the Sentinels: the environment of the config must have the master, on the same servers.

Exit codes: 0 done, or with --dry-run: it could be done now; 1 refused, or a daemon wrote the record again; 2 wrong usage.

Examples:
  $ switchmaster forget shard1 --dry-run
  $ switchmaster forget sessions --cluster
  $ switchmaster forget shard1 --environment ''         after the config got an environment`;

export function addForget(program: Command, done: (code: ExitCode) => void): void {
  const command = program
    .command('forget')
    .description('Remove a master that no Sentinel monitors, or a cluster, from Consul.')
    .argument('<master>', "a master's name, or with --cluster that of a Redis Cluster")
    .option('--cluster', 'the name is that of a Redis Cluster')
    .option('--environment <name>', "remove it from this former environment; '' is none")
    .option('--dry-run', 'only show what would be deleted, and what prevents it')
    .option('--ignore-unreachable', 'continue although a Sentinel that does not answer may still monitor the master')
    .option('-y, --yes', 'act without asking')
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText('after', help)
    .action(async (name: string, options: ForgetOptions) => {
      if (options.json === true && options.yes !== true && options.dryRun !== true)
        command.error('error: --json needs --yes or --dry-run', { exitCode: 2 });
      if (!(await isUsable(options.environment)))
        command.error(`error: ${JSON.stringify(options.environment)} cannot be an environment`, { exitCode: 2 });
      done(await forget(name, options));
    });
}

/** As in the config; the empty text is no environment. */
async function isUsable(environment: string | undefined): Promise<boolean> {
  const { isEnvironment } = await import('../lib/config/schema.ts');
  return environment === undefined || environment === '' || isEnvironment(environment);
}

async function forget(name: string, options: ForgetOptions): Promise<ExitCode> {
  const { loadConfig } = await import('../lib/config/load.ts');
  const { Removal } = await import('../lib/removal/removal.ts');
  const config = await loadConfig({ paths: await chooseConfig(options.config), environment: process.env });
  const unreachableSentinels = options.ignoreUnreachable === true ? 'gone' : 'monitoring';
  const subject = options.cluster === true ? 'cluster' : 'master';
  const { environment } = options;
  const former = environment === undefined ? undefined : { environment: environment === '' ? undefined : environment };
  const removal = new Removal(config, { name, subject, former, permissions: { unreachableSentinels } });
  const show = (verdict: Verdict, plan: RemovalPlan) => printPlan({ name, kind: subject, verdict }, { plan, options });
  try {
    const plan = await removal.plan();
    if (plan.refusals.length > 0) return show('refused', plan);
    if (options.dryRun === true) return show('now', plan);
    if (options.yes !== true) show('now', plan);
    return await confirmed(stripControls(`Delete all of this from Consul and forget ${name}?`), {
      ...(options.yes === true ? { yes: true } : {}),
      act: async () => {
        const stop = new AbortController();
        process.once('SIGINT', () => stop.abort()).once('SIGTERM', () => stop.abort());
        const warn = (message: string) => process.stderr.write(`${stripControls(message)}\n`);
        const outcome = await removal.carryOut(plan, { signal: stop.signal, warn });
        return show(outcome, plan);
      },
    });
  } finally {
    await removal.close();
  }
}

type Verdict = 'now' | 'refused' | RemovalOutcome;

function printPlan(
  about: { readonly name: string; readonly kind: string; readonly verdict: Verdict },
  { plan, options }: { readonly plan: RemovalPlan; readonly options: ForgetOptions },
): 0 | 1 {
  const { name, kind, verdict } = about;
  const { refusals, removes, remains } = plan;
  const word = typeof verdict === 'string' ? verdict : verdict.kind === 'gone' ? 'forgotten' : 'returned';
  const by = typeof verdict === 'object' && verdict.kind === 'returned' ? verdict.by : null;
  if (options.json === true) printJson({ name, kind, verdict: word, refusals, removes, remains, returnedBy: by });
  else for (const line of drawPlan(name, { verdict: word, by, plan })) printLine(line);
  return word === 'refused' || word === 'returned' ? 1 : 0;
}

const verdicts = {
  now: ['yellow', 'would be deleted from Consul'],
  refused: ['red', 'cannot be forgotten yet'],
  forgotten: ['green', 'is deleted from Consul'],
  returned: ['red', 'was deleted, and is back'],
} as const;

function drawPlan(
  name: string,
  given: { readonly verdict: keyof typeof verdicts; readonly by: string | null; readonly plan: RemovalPlan },
): readonly string[] {
  const { verdict, by, plan } = given;
  const [style, words] = verdicts[verdict];
  const branches: readonly Branch[] = [
    ...(by === null
      ? []
      : [
          {
            text: `${by} wrote the record again: it still follows ${name}. ${plan.isMoved ? 'Change the environment in the config there' : 'Remove it from the Sentinels or the config there'}, then run this again`,
          },
        ]),
    ...plan.refusals.map(({ text, commands }) => ({ text, branches: commands.map((line) => ({ text: `$ ${line}` })) })),
    ...plan.removes.map(({ what, id, content }) => ({ text: `${what} ${id}${content === '' ? '' : `: ${content}`}` })),
    ...plan.remains.map(({ id, why }) => ({ text: `stays: ${id} (${why})` })),
  ];
  return drawTree({
    text: `${styled('bold', stripControls(name))}  ${styled(style, words)}`,
    branches: branches.map(clean),
  });
}

function clean({ text, branches = [] }: Branch): Branch {
  return { text: stripControls(text), branches: branches.map(clean) };
}
