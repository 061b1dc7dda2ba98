import { InstanceLink } from '../../client/instance.ts';
import { readInfo } from '../../client/instance-shapes.ts';
import { isRefused } from '../../client/refused-commands.ts';
import { readListedReplicas } from '../../client/replication-shapes.ts';
import type { Config } from '../../config/model.ts';
import { revealAccess } from '../../config/reveal.ts';
import { formatAddress, formatEndpoint } from '../../model/address.ts';
import type { ExaminedIsolation } from '../examination.ts';

const timeoutMs = 2_000;

/** Each Redis of this node whose writes the daemon may pause, and that answers. */
export async function examineIsolation({ register, sentinel }: Config): Promise<readonly ExaminedIsolation[]> {
  if (register === undefined || sentinel === undefined) return [];
  const wanted = register.instances.filter(({ spec }) => spec.isolation === 'pause');
  const found = await Promise.all(wanted.map((instance) => examineOne(instance).catch(() => undefined)));
  return found.filter((one) => one !== undefined);
}

async function examineOne({
  spec,
  access,
}: NonNullable<Config['register']>['instances'][number]): Promise<ExaminedIsolation | undefined> {
  const link = new InstanceLink({
    address: spec.address,
    access: revealAccess(access),
    onLinkState: () => undefined,
  });
  try {
    const commands = [
      ['INFO', 'replication'],
      ['CLIENT', 'PAUSE', 'x', 'WRITE'],
      ['INFO', 'server'],
    ] as const;
    const [reply, paused, server] = await link.request(commands, { timeoutMs });
    const info = readInfo(reply);
    if (!info.has('role')) return undefined;
    const refused = paused instanceof Error && isRefused(paused.message) ? paused.message : undefined;
    const address = formatEndpoint(spec.address);
    return {
      address,
      announced: spec.announce && formatAddress(spec.announce),
      runId: server instanceof Error ? undefined : readInfo(server).get('run_id'),
      role: info.get('role') === 'master' ? 'master' : 'replica',
      ...readListedReplicas(info),
      refused,
    };
  } finally {
    link.close();
  }
}
