import { type Command, Option } from 'commander';
import type { z } from 'zod';
import type { clustersAnswer, mastersAnswer } from '../lib/http/shapes.ts';
import { formatAddress } from '../lib/model/address.ts';
import { describeSlots } from '../lib/model/cluster.ts';
import type { ExitCode } from './exit-code.ts';
import { type AskOptions, addAskOptions } from './option.ts';
import { drawTree, printJson, printLine, stripControls } from './terminal.ts';

type Masters = z.output<typeof mastersAnswer>['masters'];
type Clusters = z.output<typeof clustersAnswer>['clusters'];

/** What there is, and who follows whom. */
interface Topology {
  readonly groups: readonly {
    readonly name: string;
    readonly kind: 'master' | 'cluster';
    readonly links: readonly TopologyLink[];
  }[];
}

interface TopologyLink {
  readonly from: string;
  readonly to: string;
  readonly what: 'replicates' | 'agrees' | 'differs' | 'unaware' | 'unreachable' | 'serves';
}

const writers = { text: drawText, dot: drawDot, mermaid: drawMermaid } as const;

const help = `
Examples:
  $ switchmaster topology --format dot | dot -Tsvg > topology.svg
  $ switchmaster topology shard1 --format mermaid`;

export function addTopology(program: Command, done: (code: ExitCode) => void): void {
  const command = program
    .command('topology')
    .argument('[name]', 'one master or cluster only')
    .description('Draw who follows whom, as text, for Graphviz or for Mermaid.')
    .addOption(
      new Option('-f, --format <format>', 'text, dot or mermaid').choices(Object.keys(writers)).default('text'),
    );
  addAskOptions(command)
    .addHelpText('after', help)
    .action(async (name: string | undefined, options: AskOptions & { readonly format: keyof typeof writers }) => {
      done(await showTopology(name, options));
    });
}

async function showTopology(
  name: string | undefined,
  options: AskOptions & { readonly format: keyof typeof writers },
): Promise<ExitCode> {
  const { ask } = await import('./api-client.ts');
  const shapes = await import('../lib/http/shapes.ts');
  const [{ masters }, { clusters }] = await Promise.all([
    ask({ api: options, path: '/v1/masters' }, shapes.mastersAnswer),
    ask({ api: options, path: '/v1/clusters' }, shapes.clustersAnswer),
  ]);
  const { groups } = toTopology(masters, clusters);
  const topology = { groups: groups.filter((group) => name === undefined || group.name === name) };
  if (topology.groups.length === 0 && name !== undefined) {
    const { SwitchmasterError } = await import('../lib/errors.ts');
    const { suggest } = await import('./suggestion.ts');
    const known = { among: groups.map((group) => group.name), otherwise: 'switchmaster status lists them' };
    throw new SwitchmasterError(
      'not-found',
      `no master or cluster is called ${JSON.stringify(name)} (${suggest(name, known)})`,
    );
  }
  if (options.json === true) printJson(topology);
  else for (const line of writers[options.format](topology)) printLine(line);
  return 0;
}

export function toTopology(masters: Masters, clusters: Clusters): Topology {
  const ofMasters = masters.map(({ name, record, sentinels }) => {
    const master = record === null ? `${name} (no record)` : formatAddress(record.master);
    const votes = sentinels.map((vote): TopologyLink => {
      const silent = vote.state === 'unaware' ? 'unaware' : 'unreachable';
      const what = vote.master === null ? silent : vote.agrees === true ? 'agrees' : 'differs';
      return {
        from: `sentinel ${formatAddress(vote.address)}`,
        to: vote.master === null ? master : formatAddress(vote.master),
        what,
      };
    });
    const replicas = (record?.replicas ?? []).map((replica): TopologyLink => {
      return { from: formatAddress(replica), to: master, what: 'replicates' };
    });
    return {
      name,
      kind: 'master' as const,
      links: [{ from: name, to: master, what: 'serves' as const }, ...replicas, ...votes],
    };
  });
  const ofClusters = clusters.map(({ name, record }) => {
    const links = (record?.shards ?? []).flatMap(({ slots, master, replicas }): readonly TopologyLink[] => {
      const range = describeSlots(slots);
      const to = master === null ? `no master of ${range}` : formatAddress(master);
      const followers = replicas.map(
        (replica): TopologyLink => ({ from: formatAddress(replica), to, what: 'replicates' }),
      );
      return [{ from: `${name} ${range}`, to, what: 'serves' }, ...followers];
    });
    return { name, kind: 'cluster' as const, links };
  });
  return { groups: [...ofMasters, ...ofClusters] };
}

export function drawText({ groups }: Topology): readonly string[] {
  if (groups.length === 0) return ['It follows no master and no cluster.'];
  return groups.flatMap(({ name, kind, links }) => {
    const branches = links
      .filter(({ what }) => what === 'serves')
      .map(({ from, to }) => ({
        text: stripControls(kind === 'master' ? to : `${from.slice(name.length + 1)}  ${to}`),
        branches: links
          .filter((link) => link.to === to && link.what === 'replicates')
          .map(({ from: replica }) => ({ text: `replica ${stripControls(replica)}` })),
      }));
    const votes = links
      .filter(({ from }) => from.startsWith('sentinel '))
      .map(({ from, to, what }) => ({
        text: stripControls(`${from}  ${what === 'differs' ? `names ${to}` : what}`),
      }));
    return drawTree({ text: stripControls(`${name}  ${kind}`), branches: [...branches, ...votes] });
  });
}

const styles = {
  replicates: '',
  serves: 'style=bold',
  agrees: 'color=green',
  differs: 'color=orange,style=dashed',
  unaware: 'color=orange,style=dotted',
  unreachable: 'color=red,style=dotted',
} as const;

export function drawDot({ groups }: Topology): readonly string[] {
  const edges = groups
    .flatMap(({ links }) => links)
    .map(({ from, to, what }) => {
      const attributes = [`label=${quote(what)}`, ...(styles[what] === '' ? [] : [styles[what]])].join(',');
      return `  ${quote(from)} -> ${quote(to)} [${attributes}];`;
    });
  return ['digraph switchmaster {', '  rankdir=LR;', '  node [shape=box];', ...new Set(edges), '}'];
}

export function drawMermaid({ groups }: Topology): readonly string[] {
  const ids = new Map<string, string>();
  const idOf = (name: string): string => {
    const id = ids.get(name) ?? `n${ids.size}`;
    ids.set(name, id);
    return id;
  };
  const edges = groups
    .flatMap(({ links }) => links)
    .map(({ from, to, what }) => {
      const line = what === 'agrees' || what === 'replicates' || what === 'serves' ? '-->' : '-.->';
      return `  ${idOf(from)} ${line}|${what}| ${idOf(to)}`;
    });
  const nodes = [...ids].map(
    ([name, id]) => `  ${id}["${stripControls(name).replace(/["#<>&]/g, (sign) => `#${sign.charCodeAt(0)};`)}"]`,
  );
  return ['graph LR', ...nodes, ...new Set(edges)];
}

function quote(text: string): string {
  return `"${stripControls(text).replace(/["\\]/g, '\\$&')}"`;
}
