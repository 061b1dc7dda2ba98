import { RedisLink } from '../client/redis.ts';
import type { Config } from '../config/model.ts';
import { type ErrorCode, SwitchmasterError } from '../errors.ts';
import { formatAddress } from '../model/address.ts';
import { ConsulPart, revealAccess } from './consul.ts';

/** Whether a server that the config names answers as it should. */
export interface ServerFinding {
  /** `consul 127.0.0.1:8500`, `sentinel 10.0.0.5:26379`. */
  readonly server: string;
  readonly answers: boolean;
  /** What it said, or why there was no use in asking. */
  readonly says: string;
  readonly code?: ErrorCode;
}

const timeoutMs = 3_000;

/** Asks every server that the config names, all at once; takes at most a few seconds, and never throws. */
export async function askServers(config: Config): Promise<readonly ServerFinding[]> {
  const sentinels = (config.sentinel?.addresses ?? []).map((address) =>
    find(`sentinel ${formatAddress(address)}`, async () => {
      const link = new RedisLink(address, revealAccess(config.sentinel?.access ?? {}));
      try {
        const masters = await link.call(['SENTINEL', 'MASTERS'], { timeoutMs });
        return `masters that it monitors: ${Array.isArray(masters) ? masters.length : 0}`;
      } finally {
        link.close();
      }
    }),
  );
  return Promise.all([askConsul(config), ...sentinels]);
}

function askConsul(config: Config): Promise<ServerFinding> {
  const { host, port, socketPath } = config.consul;
  return find(`consul ${socketPath ?? formatAddress({ host, port })}`, async () => {
    const part = new ConsulPart(config.consul);
    try {
      const { knownLeader } = await part.client.read({ kind: 'services' }, { timeoutMs });
      if (!knownLeader) throw new SwitchmasterError('consul-unavailable', 'it knows no leader');
      return 'knows a leader';
    } finally {
      await part.stop();
    }
  });
}

async function find(server: string, ask: () => Promise<string>): Promise<ServerFinding> {
  try {
    return { server, answers: true, says: await ask() };
  } catch (thrown) {
    const { code, message } = SwitchmasterError.from(thrown);
    return { server, answers: false, says: message, code };
  }
}
