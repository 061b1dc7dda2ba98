import { isDeepStrictEqual } from 'node:util';
import type { Address } from '../../../lib/model/address.ts';
import { crashBridgeKey } from '../../../lib/model/naming.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { redisCli } from '../../sandbox/resp.ts';
import { followingClient, NumberWriter } from '../support/writing.ts';
import { masterOf, type WindowBridges } from './bridges.ts';
import { Majority, NodeProbe, RecordObserver } from './observers.ts';
import {
  causeOf,
  countLosses,
  demotionsOf,
  judgeDemotions,
  judgeIsolation,
  judgeRecords,
  type LossCause,
  type Losses,
  pausesOf,
  recordsOf,
} from './rules.ts';
import { type Stall, watchStalls } from './stalls.ts';
import { type Moment, writeStory } from './story.ts';
import { type Field, selectedBy } from './strike.ts';

/** The result of a round. */
export interface WindowResult {
  /** Broken rules. A round that did not settle breaks one. */
  readonly problems: readonly string[];
  readonly acknowledged: number;
  readonly lost: number;
  /** Lost writes that a client of Sentinel would have kept: see `countLosses`. */
  readonly lostThatSentinelKeeps: number;
  /** Such writes by their cause: see `LossCause`. */
  readonly lostToGivenUp: number;
  readonly lostUnattended: number;
  /** Everything that was observed, in order of time, one line each. If a rule was broken, also the ends of the logs. */
  readonly story: string;
  readonly tookMs: number;
}

/** Clients and observers of a round. */
export class Scene {
  readonly #field: Field;
  readonly #bridges: WindowBridges;
  readonly #majority: Majority;
  readonly #records: RecordObserver;
  readonly #probes: readonly NodeProbe[];
  #writers: readonly NumberWriter[] = [];
  readonly #stalls: Stall[] = [];
  readonly #endStalls = watchStalls((stall) => this.#stalls.push(stall));

  constructor(field: Field, bridges: WindowBridges) {
    const { shard, sentinels, consul } = field;
    this.#field = field;
    this.#bridges = bridges;
    this.#majority = new Majority(sentinels, shard.name);
    this.#records = new RecordObserver(consul, { name: shard.name });
    this.#probes = shard.servers.map(({ address }) => new NodeProbe(address));
  }

  /** Resolves when the clients of both nodes write. */
  async begin(): Promise<void> {
    const { shard, window, consul } = this.#field;
    await waitFor('a record', () => this.#bridges.bridges.every(({ record }) => record !== undefined));
    this.#writers = this.#bridges.bridges.map((bridge) => {
      const client = followingClient(() => masterOf(bridge));
      return new NumberWriter({ name: bridge.id, key: bridge.id, client, pauseMs: 3 });
    });
    for (const writer of this.#writers)
      await waitFor('writes', () => writer.acknowledged.size, { until: (size) => size > 20 });
    await waitFor('the majority', () => this.#majority.named.length);
    if (window.onCrash === 'wait') return;
    const measured = () => new Set(this.#bridges.words.flatMap((word) => (word.kind === 'measured' ? [word.id] : [])));
    await waitFor(`the lag of ${shard.name}`, () => measured().size, { until: (size) => size === 2 });
    // Those of a former round contradict until their sessions have ended.
    const own = this.#bridges.bridges.map(({ id }) => crashBridgeKey('redis/crash/', id)).toSorted();
    await waitFor('the bridges in Consul', () => consul.get<string[]>('/v1/kv/redis/crash/bridge/?keys'), {
      until: (keys) => isDeepStrictEqual(keys?.toSorted(), own),
      timeoutMs: 60_000,
    });
  }

  async end(result: {
    readonly notes: readonly Moment[];
    readonly problem: string | undefined;
  }): Promise<Omit<WindowResult, 'tookMs'>> {
    const { shard, recorders } = this.#field;
    await Promise.all(this.#writers.map((writer) => writer.stop()));
    this.#endStalls();
    await Promise.all([...this.#probes, this.#majority, this.#records].map((observer) => observer.close()));
    const written = recordsOf(this.#bridges.words, this.#records);
    const selections = recorders.flatMap(({ events }) => events.filter(({ channel }) => channel === '+selected-slave'));
    const demotions = demotionsOf(shard.servers);
    const problems = [
      ...(result.problem === undefined ? [] : [result.problem]),
      ...judgeRecords(written, {
        first: shard.master.address,
        selected: selections.map((event) => selectedBy(shard, event)?.address),
      }),
      ...judgeIsolation(this.#bridges.words, this.#field.window),
      ...judgeDemotions(demotions, {
        bridges: this.#bridges.bridges.map(({ host }) => host),
        written,
        majority: this.#majority,
      }),
    ];
    const losses = await this.#losses(written.at(-1)?.record.master).catch((error: unknown) => {
      problems.push(`losses are not known: ${String(error)}`);
      return [];
    });
    const lost = losses.flatMap(({ keptBySentinel }) => keptBySentinel);
    const count = (wanted: LossCause) =>
      lost.filter((write) => causeOf(write, { notes: result.notes, written, field: this.#field }) === wanted).length;
    const story = writeStory({
      field: this.#field,
      notes: result.notes,
      words: this.#bridges.words,
      named: this.#majority.named,
      records: this.#records.seen,
      lost,
    });
    const isWhole = problems.length === 0 && lost.length === 0;
    return {
      problems,
      acknowledged: sum(losses.map(({ acknowledged }) => acknowledged)),
      lost: sum(losses.map(({ lost }) => lost)),
      lostThatSentinelKeeps: count('none'),
      lostToGivenUp: count('given up'),
      lostUnattended: count('unattended'),
      story: isWhole ? story : `${story}\n\n${this.#logs()}`,
    };
  }

  async #losses(last: Address | undefined): Promise<readonly Losses[]> {
    if (last === undefined) throw new Error('there is no record');
    const membersOf = async (key: string): Promise<ReadonlySet<number>> => {
      const reply = await redisCli(last, ['SMEMBERS', key], { timeoutMs: 10_000 });
      return new Set(Array.isArray(reply) ? reply.map(Number) : []);
    };
    const { words } = this.#bridges;
    const pauses = pausesOf(words);
    const stallsOf = (bridge: string) => [
      ...this.#stalls,
      ...words.filter((word) => word.kind === 'stalled').filter(({ id }) => id === bridge),
    ];
    const probes = new Map(
      await Promise.all(
        this.#probes.map(async (probe) => [probe.address, { probe, kept: await membersOf(probe.key) }] as const),
      ),
    );
    return Promise.all(
      this.#writers.map(async (writer) =>
        countLosses(writer, {
          kept: await membersOf(writer.key),
          probes,
          majority: this.#majority,
          pauses,
          stalls: stallsOf(writer.name),
        }),
      ),
    );
  }

  #logs(): string {
    const { shard, sentinels, bridges } = this.#field;
    const servers = [...shard.servers, ...sentinels, ...bridges.map(({ server }) => server)];
    return servers.map((server) => server.logTail({ lines: 60 })).join('\n\n');
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
