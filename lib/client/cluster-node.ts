import { SwitchmasterError } from '../errors.ts';
import type { ClusterView } from '../model/cluster.ts';
import { clusterCommands, toClusterView } from './cluster-shapes.ts';
import type { Deadline, InstanceLink } from './instance.ts';

/** The fields of CLUSTER INFO that change only when the cluster does; an error where the node does not answer. */
export async function readClusterInfo(link: InstanceLink, deadline: Deadline): Promise<string | SwitchmasterError> {
  try {
    const [text] = await link.request([['CLUSTER', 'INFO']], deadline);
    const lines = typeof text === 'string' ? text.split('\r\n') : [String(text)];
    return lines.filter((line) => !line.startsWith('cluster_stats_') && !line.startsWith('total_cluster')).join();
  } catch (thrown) {
    return SwitchmasterError.from(thrown);
  }
}

/** The whole cluster as this node sees it. Rejects with a SwitchmasterError. */
export async function readClusterView(link: InstanceLink, deadline: Deadline): Promise<ClusterView> {
  const replies = await link.request(clusterCommands, deadline);
  const [refused] = replies.filter((reply) => reply instanceof Error);
  const nodes = replies[2] instanceof Error ? (await link.request([['CLUSTER', 'NODES']], deadline))[0] : undefined;
  if (replies[0] instanceof Error) throw link.translate(refused, 'CLUSTER MYID');
  return toClusterView(replies, { at: link.address, tls: link.tls, nodes });
}
