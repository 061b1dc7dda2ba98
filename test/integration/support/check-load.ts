import { once } from 'node:events';
import http from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { type Address, formatAddress, sameAddress } from '../../../lib/model/address.ts';

/** One answer of /check/master, with the times of its request and of its arrival. */
export interface CheckAnswer {
  readonly address: Address;
  readonly status: number;
  readonly askedMs: number;
  readonly answeredMs: number;
}

const workers = 4;
const pauseMs = 20;

/** Load balancers that ask about each address over and over. */
export class CheckLoad {
  readonly answers: CheckAnswer[] = [];
  readonly #agent = new http.Agent({ keepAlive: true, maxSockets: workers });
  readonly #running: Promise<unknown>;
  #state: 'asking' | 'stopped' = 'asking';

  constructor(api: Address, addresses: readonly Address[]) {
    this.#running = Promise.all(Array.from({ length: workers }, () => this.#work(api, addresses)));
  }

  async stop(): Promise<void> {
    this.#state = 'stopped';
    await this.#running;
    this.#agent.destroy();
  }

  async #work(api: Address, addresses: readonly Address[]): Promise<void> {
    while (this.#state === 'asking') {
      for (const address of addresses) this.answers.push(await this.#ask(api, address));
      await delay(pauseMs);
    }
  }

  async #ask(api: Address, address: Address): Promise<CheckAnswer> {
    const askedMs = performance.now();
    const path = `/check/master?address=${formatAddress(address)}`;
    const request = http.get({ agent: this.#agent, host: api.host, port: api.port, path });
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    response.resume();
    await once(response, 'end');
    return { address, status: response.statusCode ?? 0, askedMs, answeredMs: performance.now() };
  }
}

/** What must not happen: a status other than 200 and 503, or a 200 for the old master after one for the new master. */
export function findWrong(
  answers: readonly CheckAnswer[],
  masters: { readonly oldMaster: Address; readonly newMaster: Address },
): readonly CheckAnswer[] {
  const { oldMaster, newMaster } = masters;
  const movedMs = Math.min(
    ...answers.flatMap(({ address, status, answeredMs }) =>
      status === 200 && sameAddress(address, newMaster) ? [answeredMs] : [],
    ),
  );
  return answers.filter(({ address, status, askedMs }) => {
    if (status === 200) return sameAddress(address, oldMaster) && askedMs > movedMs;
    return status !== 503;
  });
}
