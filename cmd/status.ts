import type { Command } from 'commander';
import type { z } from 'zod';
import type {
  clustersAnswer,
  desiredAnswer,
  healthAnswer,
  instancesAnswer,
  levelShape,
  mastersAnswer,
  templatesAnswer,
} from '../lib/http/shapes.ts';
import { type Address, formatAddress } from '../lib/model/address.ts';
import { worstLevel } from '../lib/model/health.ts';
import type { ExitCode } from './exit-code.ts';
import { type AskOptions, addAskOptions } from './option.ts';
import { type Branch, drawTree, printJson, printLine, stripControls, styled } from './terminal.ts';

type Level = z.output<typeof levelShape>;
type Health = z.output<typeof healthAnswer>;
type Master = z.output<typeof mastersAnswer>['masters'][number];
type Cluster = z.output<typeof clustersAnswer>['clusters'][number];
type Instance = z.output<typeof instancesAnswer>['instances'][number];
type Template = z.output<typeof templatesAnswer>['templates'][number];

/** What the API answers of everything that a daemon does. */
interface Status {
  readonly health: Health;
  readonly masters: readonly Master[];
  readonly desired: z.output<typeof desiredAnswer>['desired'];
  readonly clusters: readonly Cluster[];
  readonly instances: readonly Instance[];
  readonly templates: readonly Template[];
}

export function addStatus(program: Command, done: (code: ExitCode) => void): void {
  const command = program
    .command('status')
    .description('Show who is master, who agrees, what follows, and what is not well.');
  addAskOptions(command)
    .addHelpText(
      'after',
      `\nExit codes: 0 all is well, 1 something is not, or nobody answers.\n\nExample:\n  $ switchmaster status --json | jq '.masters[].record.master'`,
    )
    .action(async (options: AskOptions) => {
      done(await showStatus(options));
    });
}

async function showStatus(options: AskOptions): Promise<ExitCode> {
  const status = await readStatus(options);
  if (options.json === true) printJson(status);
  else for (const line of [...drawStatus(status), ...drawReasons(status.health)]) printLine(line);
  return status.health.level === 'well' ? 0 : 1;
}

async function readStatus(api: AskOptions): Promise<Status> {
  const { ask } = await import('./api-client.ts');
  const shapes = await import('../lib/http/shapes.ts');
  const [health, masters, desired, clusters, instances, templates] = await Promise.all([
    ask({ api, path: '/v1/health' }, shapes.healthAnswer),
    ask({ api, path: '/v1/masters' }, shapes.mastersAnswer),
    ask({ api, path: '/v1/desired' }, shapes.desiredAnswer),
    ask({ api, path: '/v1/clusters' }, shapes.clustersAnswer),
    ask({ api, path: '/v1/instances' }, shapes.instancesAnswer),
    ask({ api, path: '/v1/templates' }, shapes.templatesAnswer),
  ]);
  return { health, ...masters, ...desired, ...clusters, ...instances, ...templates };
}

const colours = { well: 'green', unknown: 'yellow', warning: 'yellow', critical: 'red' } as const;

/** What is not well, worst first, each with a command to type where there is one; then what passes by itself. */
function drawReasons({ reasons }: Health): readonly string[] {
  const [unwell, notes] = [
    reasons.filter(({ level }) => level !== 'well'),
    reasons.filter(({ level }) => level === 'well'),
  ];
  return [
    ...(unwell.length === 0 ? [] : ['', 'Not well:', ...unwell.flatMap(drawReason)]),
    ...(notes.length === 0 ? [] : ['', 'Passing by itself:', ...notes.flatMap(drawReason)]),
  ];
}

function drawReason(reason: Health['reasons'][number]): readonly string[] {
  const { code, level, text, hint } = reason;
  const line = `  ${styled(colours[level], level)}  ${stripControls(`${labelOf(reason)}: ${text}`)}  [${code}]`;
  return hint === null || level === 'well' ? [line] : [line, `    $ ${stripControls(hint)}`];
}

function labelOf({ code, subject: { kind, name } }: Health['reasons'][number]): string {
  if (code === 'not-ready') return 'not ready';
  return kind === 'desired' ? `desired/${name}` : name;
}

function drawStatus({ health, masters, clusters, instances, templates }: Status): readonly string[] {
  const levelOf = (kind: 'cluster' | 'template', name: string): Level =>
    worstLevel(health.reasons.filter(({ subject }) => subject.kind === kind && subject.name === name));
  const branches = [
    ...masters.map(masterBranch),
    ...clusters.map((cluster) => clusterBranch(cluster, levelOf('cluster', cluster.name))),
    ...instances.map(instanceBranch),
    ...templates.map((template) => templateBranch(template, levelOf('template', template.name))),
  ];
  const trees = branches.flatMap((branch) => drawTree(branch));
  return trees.length === 0 ? ['It follows no master and keeps no file.'] : trees;
}

function masterBranch(master: Master): Branch {
  const { record, check } = master;
  const name = styled('bold', stripControls(master.name));
  if (record === null) return { text: `${name}  ${styled('red', 'no record')}`, branches: [] };
  const state = check === null ? styled('yellow', 'unknown') : paint(check.status);
  const version = `epoch ${record.epoch}${record.generation === 1 ? '' : `, generation ${record.generation}`}, ${record.phase}`;
  return {
    text: `${name}  ${show(record.master)}  ${state}  ${version}, since ${stripControls(record.changedAt)}`,
    branches: [
      ...master.replicas.map(({ address, lag }) => ({ text: `replica ${show(address)}  ${describeLag(lag)}` })),
      ...master.sentinels.map((vote) => ({ text: `sentinel ${show(vote.address)}  ${describeVote(vote)}` })),
    ],
  };
}

function describeVote(vote: Master['sentinels'][number]): string {
  if (vote.master === null || vote.epoch === null) return styled('red', stripControls(vote.state));
  if (vote.agrees === true) return styled('green', 'agrees');
  return styled('yellow', `names ${show(vote.master)} at epoch ${vote.epoch}`);
}

function clusterBranch({ name, record, problem }: Cluster, level: Level): Branch {
  const problems = problem === null ? [] : [{ text: styled('yellow', stripControls(problem)) }];
  const title = styled('bold', stripControls(name));
  if (record === null) return { text: `${title}  cluster  ${styled('red', 'no record')}`, branches: problems };
  const uncovered = record.uncovered.length === 0 ? '' : `, slots without a master: ${showSlots(record.uncovered)}`;
  const state = styled(colours[level], `${record.state}${uncovered}`);
  const shards = record.shards.map(({ slots, master, replicas }) => {
    const followed = replicas.length === 0 ? '' : `, replicas ${replicas.map(show).join(', ')}`;
    return {
      text: `slots ${showSlots(slots)}  ${master === null ? styled('red', 'no master') : show(master)}${followed}`,
    };
  });
  return { text: `${title}  cluster  ${state}  epoch ${record.epoch}`, branches: [...shards, ...problems] };
}

function showSlots(ranges: readonly { readonly from: number; readonly to: number }[]): string {
  return ranges.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`)).join(', ') || 'none';
}

function instanceBranch({ kind, name, address, socket, role, check }: Instance): Branch {
  const state = check === null ? styled('yellow', 'unknown') : `${paint(check.status)}  ${stripControls(check.output)}`;
  const of = name === null ? '' : ` of ${stripControls(name)}${role === 'unknown' ? '' : `, ${role}`}`;
  const place = address === null ? stripControls(socket ?? '') : show(address);
  return { text: `${styled('bold', kind)} ${place}${of}  ${state}` };
}

function describeLag(lag: Master['replicas'][number]['lag']): string {
  if (lag === null) return styled('yellow', 'not in sync');
  if (lag.bytes !== null) return lag.bytes === 0 ? styled('green', 'in sync') : `${lag.bytes} bytes behind`;
  return lag.behindMs === null ? styled('yellow', 'far behind') : `${Math.round(lag.behindMs / 1_000)} s behind`;
}

function templateBranch(template: Template, level: Level): Branch {
  const waits = template.missing.map((what) => ({ text: `waits for ${stripControls(what)}` }));
  const state = styled(colours[level], stripControls(template.state));
  return {
    text: `${styled('bold', stripControls(template.name))}  ${stripControls(template.destination)}  ${state}`,
    branches: [...waits, ...stopOf(template)],
  };
}

function stopOf({ lastOutcome }: Pick<Template, 'lastOutcome'>): readonly Branch[] {
  if (lastOutcome === null || (lastOutcome.kind !== 'failed' && lastOutcome.kind !== 'held')) return [];
  return [{ text: styled(lastOutcome.kind === 'failed' ? 'red' : 'yellow', stripControls(lastOutcome.summary)) }];
}

function paint(status: 'passing' | 'warning' | 'critical'): string {
  return styled(status === 'passing' ? 'green' : status === 'warning' ? 'yellow' : 'red', status);
}

function show(address: Address): string {
  return stripControls(formatAddress(address));
}
