import type { Command } from 'commander';
import { SwitchmasterError } from '../lib/errors.ts';
import { type Address, formatAddress, sameAddress } from '../lib/model/address.ts';
import type { ExitCode } from './exit-code.ts';
import { type AskOptions, addAskOptions } from './option.ts';
import { type Branch, drawTree, harmless, printJson, printLine, styled } from './terminal.ts';
import { type Cluster, findUnwell, type Instance, type Master, type Status, type Template } from './wellness.ts';

export function addStatus(program: Command, done: (code: ExitCode) => void): void {
  const command = program
    .command('status')
    .description('Who is master, who says so, and what follows: the topology as a tree.');
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
  const unwell = findUnwell(status);
  if (options.json === true) printJson({ ...status, unwell });
  else
    for (const line of [...drawStatus(status), ...drawUnwell(unwell.filter((fault) => fault !== status.ready))])
      printLine(line);
  return unwell.length === 0 ? 0 : 1;
}

function drawUnwell(unwell: readonly string[]): readonly string[] {
  if (unwell.length === 0) return [];
  return ['', 'Not well:', ...unwell.map((fault) => `  ${styled('red', harmless(fault))}`)];
}

async function readStatus(api: AskOptions): Promise<Status> {
  const { ask } = await import('./api-client.ts');
  const shapes = await import('../lib/http/shapes.ts');
  const [ready, masters, desired, clusters, instances, templates] = await Promise.all([
    ask({ api, path: '/ready' }, shapes.readyAnswer).then(() => true as const, readUnready),
    ask({ api, path: '/v1/masters' }, shapes.mastersAnswer),
    ask({ api, path: '/v1/desired' }, shapes.desiredAnswer),
    ask({ api, path: '/v1/clusters' }, shapes.clustersAnswer),
    ask({ api, path: '/v1/instances' }, shapes.instancesAnswer),
    ask({ api, path: '/v1/templates' }, shapes.templatesAnswer),
  ]);
  return { ready, ...masters, ...desired, ...clusters, ...instances, ...templates };
}

function readUnready(thrown: unknown): string {
  const error = SwitchmasterError.from(thrown);
  if (error.code !== 'not-ready') throw error;
  return error.message;
}

function drawStatus({ ready, masters, clusters, instances, templates }: Status): readonly string[] {
  const branches = [
    ...masters.map(masterBranch),
    ...clusters.map(clusterBranch),
    ...instances.map(instanceBranch),
    ...templates.map(templateBranch),
  ];
  const trees = branches.flatMap((branch) => drawTree(branch));
  if (ready !== true) return [styled('red', harmless(ready)), ...trees];
  return trees.length === 0 ? ['It follows no master and keeps no file.'] : trees;
}

function masterBranch(master: Master): Branch {
  const { record, check } = master;
  const name = styled('bold', harmless(master.name));
  if (record === null) return { text: `${name}  ${styled('red', 'no record')}`, branches: [] };
  const state = check === null ? styled('yellow', 'unknown') : paint(check.status);
  const version = `epoch ${record.epoch}${record.generation === 1 ? '' : `, generation ${record.generation}`}, ${record.phase}`;
  return {
    text: `${name}  ${show(record.master)}  ${state}  ${version}, since ${harmless(record.changedAt)}`,
    branches: [
      ...master.replicas.map(({ address, lag }) => ({ text: `replica ${show(address)}  ${describeLag(lag)}` })),
      ...master.sentinels.map((vote) => ({ text: `sentinel ${show(vote.address)}  ${describeVote(vote, record)}` })),
    ],
  };
}

function describeVote(vote: Master['sentinels'][number], record: NonNullable<Master['record']>): string {
  if (vote.master === null || vote.epoch === null) return styled('red', harmless(vote.state));
  if (sameAddress(vote.master, record.master) && vote.epoch === record.epoch) return styled('green', 'agrees');
  return styled('yellow', `names ${show(vote.master)} at epoch ${vote.epoch}`);
}

function clusterBranch({ name, record, trouble }: Cluster): Branch {
  const told = trouble === null ? [] : [{ text: styled('yellow', harmless(trouble)) }];
  const title = styled('bold', harmless(name));
  if (record === null) return { text: `${title}  cluster  ${styled('red', 'no record')}`, branches: told };
  const whole = record.state === 'ok' && record.uncovered.length === 0;
  const state = whole ? styled('green', 'ok') : styled('red', `slots without a master: ${showSlots(record.uncovered)}`);
  const shards = record.shards.map(({ slots, master, replicas }) => {
    const followed = replicas.length === 0 ? '' : `, replicas ${replicas.map(show).join(', ')}`;
    return {
      text: `slots ${showSlots(slots)}  ${master === null ? styled('red', 'no master') : show(master)}${followed}`,
    };
  });
  return { text: `${title}  cluster  ${state}  epoch ${record.epoch}`, branches: [...shards, ...told] };
}

function showSlots(ranges: readonly { readonly from: number; readonly to: number }[]): string {
  return ranges.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`)).join(', ') || 'none';
}

function instanceBranch({ kind, name, address, role, check }: Instance): Branch {
  const state = check === null ? styled('yellow', 'unknown') : `${paint(check.status)}  ${harmless(check.output)}`;
  const of = name === null ? '' : ` of ${harmless(name)}${role === 'unknown' ? '' : `, ${role}`}`;
  return { text: `${styled('bold', kind)} ${show(address)}${of}  ${state}` };
}

function describeLag(lag: Master['replicas'][number]['lag']): string {
  if (lag === null) return styled('yellow', 'not in sync');
  if (lag.bytes !== null) return lag.bytes === 0 ? styled('green', 'in sync') : `${lag.bytes} bytes behind`;
  return lag.behindMs === null ? styled('yellow', 'far behind') : `${Math.round(lag.behindMs / 1_000)} s behind`;
}

function templateBranch(template: Template): Branch {
  const { state, missing } = template;
  const trouble = template.lastOutcome?.kind === 'failed' || state === 'failed';
  const waits = missing.map((what) => ({ text: `waits for ${harmless(what)}` }));
  return {
    text: `${styled('bold', harmless(template.name))}  ${harmless(template.destination)}  ${styled(trouble ? 'red' : state === 'current' ? 'green' : 'yellow', harmless(state))}`,
    branches: [...waits, ...problemOf(template)],
  };
}

function problemOf({ lastOutcome }: Pick<Master, 'lastOutcome'>): readonly Branch[] {
  if (lastOutcome === null || (lastOutcome.kind !== 'failed' && lastOutcome.kind !== 'held')) return [];
  return [{ text: styled(lastOutcome.kind === 'failed' ? 'red' : 'yellow', harmless(lastOutcome.summary)) }];
}

function paint(status: 'passing' | 'warning' | 'critical'): string {
  return styled(status === 'passing' ? 'green' : status === 'warning' ? 'yellow' : 'red', status);
}

function show(address: Address): string {
  return harmless(formatAddress(address));
}
