import type { ConsulPart } from '../consul/part.ts';
import type { Denial } from '../consul/watches.ts';
import type { SwitchmasterError } from '../errors.ts';
import type { ConsulScope } from '../model/consul-scope.ts';
import type { ConsulState } from '../model/judgement/consul.ts';
import type { IgnoredKey } from '../model/records.ts';
import { type ConsulChange, ConsulCondition } from './consul-condition.ts';
import type { ConfigState, InterfacesState, JournalState } from './health/daemon.ts';

/** What is known of Consul, of the keys in it that hold no record, and of the config on disk. Outlives every part. */
export class Conditions {
  readonly consulCondition: ConsulCondition;
  #config: ConfigState = { kind: 'current' };
  #configTakenAt = new Date().toISOString();
  #ignoredKeys: readonly IgnoredKey[] = [];
  #interfaces: InterfacesState = { kind: 'read' };
  #journal: JournalState = { kind: 'kept' };
  #consulView: Pick<ConsulPart, 'denied' | 'scope'> = { denied: [], scope: undefined };

  constructor(options: { readonly onConsulChange: (change: ConsulChange) => void }) {
    this.consulCondition = new ConsulCondition({ onChange: options.onConsulChange });
  }

  get consul(): ConsulState {
    return this.consulCondition.state;
  }

  get config(): ConfigState {
    return this.#config;
  }

  /** Keys among the records that hold no record, without folders and locks. */
  get ignoredKeys(): readonly IgnoredKey[] {
    return this.#ignoredKeys;
  }

  noteIgnoredKeys(ignoredKeys: readonly IgnoredKey[]): void {
    this.#ignoredKeys = ignoredKeys;
  }

  /** What Consul denies to the token now. */
  get denied(): readonly Denial[] {
    return this.#consulView.denied;
  }

  /** Where in Consul Enterprise the keys are. */
  get scope(): ConsulScope | undefined {
    return this.#consulView.scope;
  }

  setConsul(view: Pick<ConsulPart, 'denied' | 'scope'>): void {
    this.#consulView = view;
  }

  get interfaces(): InterfacesState {
    return this.#interfaces;
  }

  /** `why` is undefined where this node's interfaces can be read. */
  setInterfaces(why: string | undefined): void {
    this.#interfaces = why === undefined ? { kind: 'read' } : { kind: 'unreadable', message: why };
  }

  get journal(): JournalState {
    return this.#journal;
  }

  journalFails(path: string, { message }: SwitchmasterError): void {
    this.#journal = { kind: 'failing', path, since: new Date().toISOString(), message };
  }

  journalKept(): void {
    this.#journal = { kind: 'kept' };
  }

  configRefused({ message }: SwitchmasterError): void {
    const now = new Date().toISOString();
    const since = this.#config.kind === 'refused' ? this.#config.since : now;
    this.#config = { kind: 'refused', running: this.#configTakenAt, since, message };
  }

  configTaken(): void {
    this.#config = { kind: 'current' };
    this.#configTakenAt = new Date().toISOString();
  }
}
