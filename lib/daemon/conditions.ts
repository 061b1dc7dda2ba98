import type { SwitchmasterError } from '../errors.ts';
import type { ConfigState, ConsulState } from './health/daemon.ts';

/** What is known of Consul and of the config on disk, with the time since when. Outlives every part. */
export class Conditions {
  #consul: ConsulState = { kind: 'reached' };
  #config: ConfigState = { kind: 'current' };

  get consul(): ConsulState {
    return this.#consul;
  }

  get config(): ConfigState {
    return this.#config;
  }

  consulLost({ message }: SwitchmasterError): void {
    this.#consul = { kind: 'lost', since: new Date().toISOString(), message };
  }

  consulReached(): void {
    this.#consul = { kind: 'reached' };
  }

  configRefused({ message }: SwitchmasterError): void {
    this.#config = { kind: 'refused', since: new Date().toISOString(), message };
  }

  configTaken(): void {
    this.#config = { kind: 'current' };
  }
}
