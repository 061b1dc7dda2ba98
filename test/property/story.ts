import { formatAddress } from '../../lib/model/address.ts';
import { compareVersions } from '../../lib/model/epoch.ts';
import { formatRecord, type MasterRecord } from '../../lib/model/record.ts';
import { at } from '../bridge/plan/world.ts';
import { BridgeModel } from './bridge-model.ts';
import { type Commit, ConsulWorld } from './consul-world.ts';
import type { Edit, Event, Scale, Vandalism } from './events.ts';
import { nodes, SentinelWorld } from './sentinel-world.ts';

/** The world and its history. Throws, with the history, when an invariant is broken. */
export class Story {
  readonly history: string[] = [];
  readonly consul = new ConsulWorld();
  readonly sentinels: SentinelWorld;
  readonly bridges: readonly BridgeModel[];
  commits = 0;
  #nowMs = 0;
  /** The newest record that any bridge has written. */
  newest: MasterRecord | undefined;
  #acting: BridgeModel | undefined;
  #vandalized = false;
  #seed = 1;

  constructor({ sentinels, bridges, follow }: Scale) {
    this.sentinels = new SentinelWorld(sentinels);
    const nowMs = () => this.#nowMs;
    const random = () => this.#random();
    const shared = { follow, consul: this.consul, sentinels: this.sentinels, nowMs, random };
    this.bridges = Array.from({ length: bridges }, (_, id) => new BridgeModel({ id, ...shared }));
    this.consul.onCommit = (commit) => this.#committed(commit);
  }

  async play(events: readonly Event[]): Promise<void> {
    for (const event of events) {
      const line = await this.#happen(event);
      if (line !== undefined) this.history.push(line);
    }
  }

  /**
   * From now on nothing fails and all messages arrive: the master of the Sentinels' majority must win, and then nothing may
   * change.
   */
  async settle(): Promise<void> {
    this.history.push('--- all is well from here on');
    this.sentinels.settle();
    this.consul.down = undefined;
    await this.#rounds(30);
    const [truth] = this.sentinels.sentinels;
    const { record } = this.consul;
    if (truth === undefined || record === undefined) return this.fail('there is no record');
    if (record.master.port !== at(truth.master).port || record.epoch !== truth.configEpoch) {
      this.fail(`the record is not what the Sentinels agree on: ${truth.master} at epoch ${truth.configEpoch}`);
    }
    if (this.newest !== undefined && compareVersions(record, this.newest) < 0)
      this.fail('the last version is not the newest');
    if (record.phase !== 'confirmed') this.fail('the record is not confirmed');
    if (this.consul.published().length !== 1)
      this.fail(`Consul contradicts itself: ${this.consul.published().join(' and ')}`);
    if (this.consul.masterCheck?.startsWith('passing') !== true)
      this.fail(`the check of the master is ${this.consul.masterCheck}`);
    const { commits } = this;
    this.history.push('--- nothing may be written from here on');
    await this.#rounds(5);
    if (this.commits !== commits) this.fail('the bridges do not come to rest');
  }

  readonly fail: (what: string) => never = (what) => {
    const { record } = this.consul;
    const held = record === undefined ? 'no record' : formatRecord(record);
    throw new Error([what, ...this.history.map((line) => `  ${line}`), `  Consul holds ${held}`].join('\n'));
  };

  async #rounds(count: number): Promise<void> {
    for (let round = 0; round < count; round += 1) {
      this.#nowMs += 1_100;
      for (const [b] of this.bridges.entries()) await this.play([{ kind: 'run', b }]);
    }
  }

  #happen(event: Event): string | undefined | Promise<string | undefined> {
    const { sentinels } = this;
    switch (event.kind) {
      case 'elect':
        return sentinels.elect(event.s, event);
      case 'advance':
      case 'abort':
      case 'kill':
      case 'restart':
        return sentinels[event.kind](event.s);
      case 'greet':
        return sentinels.greet(event.s, event.to);
      case 'rebuild':
        return sentinels.rebuild(event.node);
      case 'consul':
        this.consul.down = event.is;
        return `Consul is ${event.is ?? 'well'}`;
      case 'demote':
        return void sentinels.demoteStaleMasters();
      case 'lose':
        return void sentinels.unreachable.add(event.node);
      case 'find':
        return void sentinels.unreachable.delete(event.node);
      case 'time':
        this.#nowMs += event.ms;
        return `${event.ms} ms pass`;
      case 'push':
      case 'act':
      case 'survey':
      case 'follow':
      case 'run':
      case 'forget':
        return this.#bridge(event);
      default:
        return this.#remembered() ? this.#vandalize(event) : undefined;
    }
  }

  async #bridge(event: Extract<Event, { b: number }>): Promise<string | undefined> {
    const bridge = this.bridges[event.b];
    if (bridge === undefined) return undefined;
    this.#acting = bridge;
    switch (event.kind) {
      case 'push':
        return bridge.push();
      case 'act':
        return bridge.act();
      case 'forget':
        return bridge.restart();
      case 'survey':
        return bridge.survey(event.deaf);
      case 'follow':
        return bridge.follow(event.s);
      case 'run':
        bridge.push();
        bridge.survey();
        return bridge.act();
    }
  }

  /** Only a record that some bridge remembers can be restored. */
  #vandalize(event: Extract<Event, { kind: Vandalism }>): string | undefined {
    const { consul } = this;
    const { record } = consul;
    if (record === undefined) return undefined;
    this.#vandalized = true;
    switch (event.kind) {
      case 'wipe':
        consul.wipe();
        return 'Consul loses its data';
      case 'delete':
        consul.deleteKey('redis/record/m');
        return 'somebody deletes the record';
      case 'scribble':
        consul.put('redis/record/m', '{');
        return 'somebody makes the record unreadable';
      case 'deregister':
        consul.deregister();
        return 'somebody deregisters the node';
      case 'edit':
        return edit(consul, record, event);
    }
  }

  #remembered(): boolean {
    const newest = this.newest;
    return this.bridges.some(
      ({ memory: { record } }) =>
        newest !== undefined &&
        record !== undefined &&
        compareVersions(record, newest) >= 0 &&
        record.master.port === newest.master.port,
    );
  }

  /** The invariants of every transaction of a bridge. */
  #committed({ before, after, operations }: Commit): void {
    this.commits += 1;
    if (after === undefined) this.fail('a bridge wrote something that is no record');
    if (!operations.some(({ kind }) => kind === 'kv-cas')) return;
    const moved = this.newest !== undefined && this.newest.master.port !== after.master.port;
    if (moved && this.consul.masterCheck?.startsWith('critical') === true)
      this.fail(`the name of the new master is empty: ${this.consul.masterCheck}`);
    const { newest } = this;
    const floors = [before, this.#acting?.memory.past(0).remembered, this.#vandalized ? undefined : newest];
    for (const floor of floors) {
      if (floor === undefined) continue;
      const order = compareVersions(after, floor);
      if (order < 0) this.fail(`the published version fell from ${floor.generation}.${floor.epoch}`);
    }
    const claims = before === undefined || after.generation > before.generation || after.phase !== before.phase;
    if (claims && after.phase === 'confirmed' && (this.#acting?.heard(after) ?? 0) * 2 <= this.sentinels.count) {
      this.fail('a minority made this confirmed, or a new generation');
    }
    const same = newest !== undefined && compareVersions(after, newest) === 0;
    if (same && after.master.port !== newest.master.port)
      this.fail(`two masters at ${after.generation}.${after.epoch}`);
    const letter = nodes[after.master.port - 6301] ?? 'A';
    if (after.master.host !== at(letter).host) this.fail("a host with another's port");
    if (!this.sentinels.chosen.has(`${letter}@${after.epoch}`)) this.fail('nobody chose this master for this epoch');
    const publishes = operations.length > 1 || !this.#vandalized;
    if (publishes && this.consul.published().length !== 1) this.fail(`mixed: ${this.consul.published().join(' and ')}`);
    if (newest === undefined || compareVersions(after, newest) > 0) this.newest = after;
  }

  /** Park and Miller's generator: the same story is always the same. */
  #random(): number {
    this.#seed = (this.#seed * 48_271) % 2_147_483_647;
    return this.#seed / 2_147_483_647;
  }
}

/** Edits Consul by hand. */
export function edit(consul: ConsulWorld, record: MasterRecord, change: Edit): string {
  const { what, node, epochs, generations, phase } = change;
  const [epoch, generation] = [Math.max(0, record.epoch + epochs), record.generation + generations];
  const edited = { ...record, master: at(node), epoch, generation, phase };
  if (what === 'service') consul.moveService(at(node));
  if (what === 'record' || what === 'record-and-key') consul.put('redis/record/m', formatRecord(edited));
  if (what === 'key' || what === 'record-and-key') consul.put('redis/master/m', formatAddress(at(node)));
  const version = what === 'key' || what === 'service' ? '' : ` ${generation}.${epoch} ${phase}`;
  return `somebody edits the ${what}: ${node}${version}`;
}
