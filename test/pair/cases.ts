import type { FailureCase } from './failure.ts';
import type { PairHost } from './host.ts';
import type { PairStage } from './stage.ts';

export type PairCase = FailureCase<PairHost, PairStage>;

const restart = (service: string) => (host: PairHost) => host.start(service);

export const pairCases: readonly PairCase[] = [
  {
    name: 'HAProxy is killed',
    expected: 'moves',
    begin: (holder) => holder.signal('haproxy', 'KILL'),
    end: restart('haproxy'),
  },
  {
    name: 'HAProxy hangs',
    expected: 'moves',
    holdsUpChecks: true,
    begin: (holder) => holder.signal('haproxy', 'STOP'),
    end: (holder) => holder.signal('haproxy', 'CONT'),
  },
  {
    name: 'keepalived is stopped',
    expected: 'moves',
    begin: async (holder) => void (await holder.run('systemctl', 'stop', 'keepalived')),
    end: restart('keepalived'),
  },
  {
    name: 'keepalived is killed, with its child',
    expected: 'moves',
    begin: (holder) => holder.signal('keepalived', 'KILL'),
    end: restart('keepalived'),
  },
  {
    name: 'switchmaster is killed',
    expected: 'moves',
    begin: (holder) => holder.signal('switchmaster', 'KILL'),
    end: restart('switchmaster'),
  },
  {
    name: 'the host loses its power',
    expected: 'moves',
    begin: (holder) => holder.die(),
    end: (holder) => holder.boot(),
  },
  {
    name: 'the link of the host goes down',
    expected: 'moves',
    begin: (holder) => holder.link('down'),
    end: (holder) => holder.link('up'),
  },
  {
    name: 'the link of the host loses packets, and stays up',
    expected: 'may move back',
    begin: (holder) => holder.link('silent'),
    end: (holder) => holder.link('up'),
  },
  {
    name: 'switchmaster is restarted',
    expected: 'stays',
    begin: async (holder) => void (await holder.run('systemctl', 'restart', 'switchmaster')),
    end: async () => undefined,
  },
  {
    name: 'Consul is down',
    expected: 'stays',
    begin: (_, { consul }) => consul.kill(),
    end: (_, { consul }) => consul.start(),
  },
  {
    name: 'all Sentinels are down',
    expected: 'stays',
    begin: async (_, { sentinels }) => void (await Promise.all(sentinels.map((sentinel) => sentinel.kill()))),
    end: async (_, { sentinels }) => void (await Promise.all(sentinels.map((sentinel) => sentinel.start()))),
  },
  {
    name: 'Consul and all Sentinels are down',
    expected: 'stays',
    begin: async (_, { consul, sentinels }) =>
      void (await Promise.all([consul, ...sentinels].map((server) => server.kill()))),
    end: async (_, { consul, sentinels }) =>
      void (await Promise.all([consul, ...sentinels].map((server) => server.start()))),
  },
];
