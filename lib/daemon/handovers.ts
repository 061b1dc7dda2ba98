import type { EndpointHandover } from '../endpoint/part.ts';
import { Handover } from '../listening.ts';
import type { ApiHandover } from './api.ts';

/** The servers that listen across a reload. */
export class Handovers {
  readonly api: ApiHandover = new Handover();
  readonly endpoint: EndpointHandover = new Handover();

  /** Closes the servers of parts that failed to start again. */
  async closeLeft(): Promise<void> {
    await Promise.all([this.api.close(), this.endpoint.close()]);
  }
}
