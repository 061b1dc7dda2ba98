import type { FailureCase, Play, SharingStage } from '../pair/failure.ts';
import type { Server } from '../sandbox/server.ts';
import type { ClusterNode } from './node.ts';

export interface PacemakerStage extends SharingStage<ClusterNode> {
  readonly consul: Server;
}

type Case = FailureCase<ClusterNode, PacemakerStage>;

const typed =
  (...commands: readonly string[]) =>
  async (node: ClusterNode) => {
    for (const command of commands) await node.must(command);
  };

/** The last one leaves a single host. */
const cases: readonly Case[] = [
  {
    name: 'HAProxy is killed, and systemd starts it again',
    expected: 'stays',
    begin: typed('systemctl kill -s KILL haproxy'),
    end: async () => undefined,
  },
  {
    name: 'HAProxy is stopped',
    expected: 'moves',
    begin: typed('systemctl stop haproxy'),
    end: typed('systemctl start haproxy'),
  },
  {
    name: 'HAProxy hangs',
    expected: 'moves',
    begin: typed('systemctl kill -s STOP haproxy'),
    end: typed('systemctl kill -s CONT haproxy'),
  },
  {
    name: 'switchmaster is stopped',
    expected: 'moves',
    begin: typed('systemctl stop switchmaster'),
    end: typed('systemctl start switchmaster'),
  },
  {
    name: 'switchmaster is restarted',
    expected: 'stays',
    begin: typed('systemctl restart switchmaster'),
    end: async () => undefined,
  },
  {
    name: 'Consul is down',
    expected: 'stays',
    begin: (_, { consul }) => consul.kill(),
    end: (_, { consul }) => consul.start(),
  },
  {
    name: 'the link of the host goes down',
    expected: 'may move back',
    begin: (holder) => holder.link('down'),
    end: (holder) => holder.link('up'),
  },
  { name: 'the host loses its power', expected: 'moves', begin: (holder) => holder.die(), end: async () => undefined },
];

/** Longer than `failure-timeout`, after which Pacemaker starts a resource again. */
const observedMs = 20_000;

/** Those with the text in their name. Ends this process if there are none. */
export function chooseCases(part: string): readonly Play<ClusterNode, PacemakerStage>[] {
  const chosen = cases.filter(({ name }) => name.includes(part));
  if (chosen.length > 0)
    return chosen.map((failure) => ({ failure, end: failure === cases.at(-1) ? 'leave' : 'repair', observedMs }));
  console.error(`no case has "${part}" in its name; there are:\n${cases.map(({ name }) => name).join('\n')}`);
  process.exit(2);
}
