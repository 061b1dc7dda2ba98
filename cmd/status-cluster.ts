import type { z } from 'zod';
import type { clustersAnswer } from '../lib/http/shapes.ts';
import { type Address, formatAddress, sameAddress } from '../lib/model/address.ts';
import { describeSlots } from '../lib/model/cluster.ts';
import { type Branch, stripControls, styled } from './terminal.ts';

export type Cluster = z.output<typeof clustersAnswer>['clusters'][number];

/** A cluster, and below it its shards; `colour` shows how well it is. */
export function clusterBranch(
  { name, record, problem, unwell, crashes, maintenance }: Cluster,
  colour: Parameters<typeof styled>[0],
): Branch {
  const showNode = (address: Address): string => {
    const health = unwell.find((one) => sameAddress(one.address, address))?.health;
    if (crashes.some((crash) => sameAddress(crash.address, address)))
      return `${show(address)} (${styled('red', 'crashed')})`;
    if (health === undefined) return show(address);
    return `${show(address)} (${health === 'fail' ? styled('red', 'down') : styled('yellow', 'loading')})`;
  };
  const problems = problem === null ? [] : [{ text: styled('yellow', stripControls(problem)) }];
  const title = styled('bold', stripControls(name));
  if (record === null) return { text: `${title}  cluster  ${styled('red', 'no record')}`, branches: problems };
  const uncovered = record.uncovered.length === 0 ? '' : `, no master of ${describeSlots(record.uncovered)}`;
  const state = styled(colour, `${record.state}${uncovered}`);
  const shards = record.shards.map(({ slots, master, replicas }) => {
    const followed = replicas.length === 0 ? '' : `, replicas ${replicas.map(showNode).join(', ')}`;
    return {
      text: `${describeSlots(slots)}  ${master === null ? styled('red', 'no master') : showNode(master)}${followed}`,
    };
  });
  const inMaintenance = maintenance === null ? '' : `  ${styled('yellow', 'in maintenance')}`;
  return {
    text: `${title}  cluster  ${state}${inMaintenance}  epoch ${record.epoch}`,
    branches: [...shards, ...problems],
  };
}

function show(address: Address): string {
  return stripControls(formatAddress(address));
}
