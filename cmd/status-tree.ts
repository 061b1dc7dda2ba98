import type { z } from 'zod';
import type { healthAnswer, levelShape } from '../lib/http/health-shapes.ts';
import type { desiredAnswer, instancesAnswer, mastersAnswer, templatesAnswer } from '../lib/http/shapes.ts';
import { type Address, formatAddress } from '../lib/model/address.ts';
import { worstLevel } from '../lib/model/health.ts';
import { describeLag, type Lag } from '../lib/model/lag.ts';
import { type Cluster, clusterBranch } from './status-cluster.ts';
import { type Branch, drawTable, drawTree, stripControls, styled } from './terminal.ts';

type Level = z.output<typeof levelShape>;
type Health = z.output<typeof healthAnswer>;
export type Reason = Health['reasons'][number];
type Master = z.output<typeof mastersAnswer>['masters'][number];
type Instance = z.output<typeof instancesAnswer>['instances'][number];
type Template = z.output<typeof templatesAnswer>['templates'][number];

/** What the API answers of everything that a daemon does. */
export interface Status {
  readonly health: Health;
  readonly masters: readonly Master[];
  readonly desired: z.output<typeof desiredAnswer>['desired'];
  readonly clusters: readonly Cluster[];
  readonly instances: readonly Instance[];
  readonly templates: readonly Template[];
}

/** With more masters than this, those that are well are one line. */
const manyMasters = 20;

const colours = { well: 'green', unknown: 'yellow', warning: 'yellow', critical: 'red' } as const;

/** Everything, or with `problems` only what is not well. */
export function drawStatus(
  status: Status,
  options: { readonly parts: 'all' | 'problems'; readonly nowMs: number },
): readonly string[] {
  const reasons = drawReasons(status.health);
  if (options.parts === 'problems') return reasons.length === 0 ? ['All is well.'] : reasons.slice(1);
  return [...drawParts(status, options.nowMs), ...reasons];
}

/** One line for each master. */
export function drawMasters({ masters, health }: Status, nowMs: number): readonly string[] {
  const rows = masters.map((master) => {
    const { name, record, check, replicas, sentinels } = master;
    const up = replicas.filter(({ address }) => faultOf(health, { master, address }) === undefined).length;
    const agreeing = sentinels.filter(({ agrees }) => agrees === true).length;
    return [
      stripControls(name),
      record === null ? '-' : show(record.master),
      check === null ? 'unknown' : paint(check.status),
      record === null ? '-' : `${record.generation}.${record.epoch}`,
      record === null ? '-' : record.phase,
      record === null ? '-' : ageOf(record.changedAt, nowMs),
      `${up}/${replicas.length}`,
      `${agreeing}/${sentinels.length}`,
      master.maintenance === null ? '-' : 'maintenance',
    ];
  });
  const titles = ['NAME', 'MASTER', 'CHECK', 'VERSION', 'PHASE', 'CHANGED', 'REPLICAS', 'SENTINELS', 'MODE'];
  return drawTable([titles, ...rows]);
}

/** What is not well, worst first, each with a command to type where there is one; then maintenance, and what passes by itself. */
function drawReasons({ reasons }: Health): readonly string[] {
  const unwell = reasons.filter(({ level }) => level !== 'well');
  const notes = reasons.filter(({ level }) => level === 'well');
  const maintenance = notes.filter(({ code }) => code === 'maintenance');
  const passing = notes.filter(({ code }) => code !== 'maintenance');
  return [
    ...(unwell.length === 0 ? [] : ['', 'Not well:', ...unwell.flatMap(drawReason)]),
    ...(maintenance.length === 0 ? [] : ['', 'In maintenance:', ...maintenance.flatMap(drawReason)]),
    ...(passing.length === 0 ? [] : ['', 'Passing by itself:', ...passing.flatMap(drawReason)]),
  ];
}

function drawReason(reason: Reason): readonly string[] {
  const { code, level, text, hint } = reason;
  const line = `  ${styled(colours[level], level)}  ${stripControls(`${labelOf(reason)}: ${text}`)}  [${code}]`;
  return hint === null || (level === 'well' && code !== 'maintenance')
    ? [line]
    : [line, `    $ ${stripControls(hint)}`];
}

function labelOf({ code, subject: { kind, name } }: Reason): string {
  if (code === 'not-ready') return 'not ready';
  return kind === 'desired' ? `desired/${name}` : name;
}

function drawParts({ health, masters, clusters, instances, templates }: Status, nowMs: number): readonly string[] {
  const levelOf = (kind: 'master' | 'cluster' | 'template', name: string): Level =>
    worstLevel(health.reasons.filter(({ subject }) => subject.kind === kind && subject.name === name));
  const quiet =
    masters.length > manyMasters
      ? masters.filter(
          (master) => levelOf('master', master.name) === 'well' && master.maintenance?.master !== master.name,
        )
      : [];
  const hidden = new Set(quiet.map(({ name }) => name));
  const branches = [
    ...masters.filter(({ name }) => !hidden.has(name)).map((master) => masterBranch(master, { health, nowMs })),
    ...clusters.map((cluster) => clusterBranch(cluster, colours[levelOf('cluster', cluster.name)])),
    ...instances.map(instanceBranch),
    ...templates.map((template) => templateBranch(template, levelOf('template', template.name))),
  ];
  const trees = branches.flatMap((branch) => drawTree(branch));
  const grouped =
    quiet.length === 0
      ? []
      : [
          `${styled('green', `${quiet.length} masters are well`)}: status NAME shows one of them, -o table a line for each`,
        ];
  const drawn = [...grouped, ...trees];
  return [...(drawn.length === 0 ? ['It follows no master and keeps no file.'] : drawn), ...drawDaemon(health)];
}

/** Consul, and the daemon's config. */
function drawDaemon({ reasons }: Health): readonly string[] {
  const has = (code: Reason['code']): boolean => reasons.some((reason) => reason.code === code);
  const consul = has('consul-unreachable') ? styled('red', 'cannot be read') : styled('green', 'can be read');
  const config = has('config-refused') ? styled('yellow', 'the one on disk is refused') : styled('green', 'current');
  return [`${styled('bold', 'consul')}  ${consul}`, `${styled('bold', 'config')}  ${config}`];
}

interface Seen {
  readonly health: Health;
  readonly nowMs: number;
}

function masterBranch(master: Master, { health, nowMs }: Seen): Branch {
  const { record, check } = master;
  const name = styled('bold', stripControls(master.name));
  if (record === null) return { text: `${name}  ${styled('red', 'no record')}`, branches: [] };
  const state = check === null ? styled('yellow', 'unknown') : paint(check.status);
  const inMaintenance = master.maintenance === null ? '' : `  ${styled('yellow', 'in maintenance')}`;
  const version = `epoch ${record.epoch}${record.generation === 1 ? '' : `, generation ${record.generation}`}, ${record.phase}`;
  return {
    text: `${name}  ${show(record.master)}  ${state}${inMaintenance}${(master.isolation?.writes ?? 'accepted') === 'accepted' ? '' : `  ${styled('red', 'isolated')}`}  ${version}, ${ageOf(record.changedAt, nowMs)} ago`,
    branches: [
      ...master.replicas.map(({ address, lag }) => ({
        text: `replica ${show(address)}  ${faultOf(health, { master, address }) ?? paintLag(lag)}`,
      })),
      ...master.sentinels.map((vote) => ({ text: `sentinel ${show(vote.address)}  ${describeVote(vote, nowMs)}` })),
    ],
  };
}

/** The fault of a replica in few words; undefined where it has none. The list of reasons has the sentence. */
function faultOf(
  { reasons }: Health,
  { master, address }: { readonly master: Pick<Master, 'name'>; readonly address: Address },
): string | undefined {
  const at = formatAddress(address);
  const reason = reasons.find(
    ({ subject, level }) => level !== 'well' && subject.name === master.name && subject.address === at,
  );
  switch (reason?.code) {
    case 'replica-down':
      return styled('red', 'down');
    case 'second-master':
      return styled('red', 'answers as a master');
    case 'replica-not-replicating':
      return styled('yellow', 'does not replicate');
    case 'redis-denied':
      return styled('yellow', 'refuses the bridge');
    default:
      return undefined;
  }
}

/** `12 s`, `4 min`, `3 h`, `12 days`. */
function ageOf(at: string, nowMs: number): string {
  const seconds = Math.max(0, Math.round((nowMs - Date.parse(at)) / 1_000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3_600)} h` : `${Math.floor(seconds / 86_400)} days`;
}

function describeVote(vote: Master['sentinels'][number], nowMs: number): string {
  const { tiltSince } = vote;
  const tilt = tiltSince === null ? '' : `, ${styled('yellow', `in TILT mode for ${ageOf(tiltSince, nowMs)}`)}`;
  return `${describeOpinion(vote)}${tilt}`;
}

function describeOpinion(vote: Master['sentinels'][number]): string {
  if (vote.master === null || vote.epoch === null) return styled('red', stripControls(vote.state));
  if (vote.agrees === true) return styled('green', 'agrees');
  return styled('yellow', `names ${show(vote.master)} at epoch ${vote.epoch}`);
}

function instanceBranch({ kind, name, address, socket, role, check }: Instance): Branch {
  const state = check === null ? styled('yellow', 'unknown') : `${paint(check.status)}  ${stripControls(check.output)}`;
  const of = name === null ? '' : ` of ${stripControls(name)}${role === 'unknown' ? '' : `, ${role}`}`;
  const place = address === null ? stripControls(socket ?? '') : show(address);
  return { text: `${styled('bold', kind)} ${place}${of}  ${state}` };
}

function paintLag(lag: Lag | null): string {
  const text = describeLag(lag);
  return text === 'in sync' ? styled('green', text) : lag === null ? styled('yellow', text) : text;
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
