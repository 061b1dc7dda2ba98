import { setTimeout as lasting } from 'node:timers/promises';
import type { Random } from '../random.ts';
import type { Stage } from '../stage.ts';
import { type DrawnFault, drawOne, type Fault, freezeFor, killFor, restartAfter } from './fault.ts';

const short = { lowMs: 100, highMs: 4_000 };
const daemons = (stage: Stage) => [...stage.bridges, stage.renderer];
const proxies = (stage: Stage) => [stage.haproxy, stage.twemproxy];

/** Faults of Consul, the daemons and the proxies. */
export const processFaults: readonly Fault[] = [
  {
    name: 'kill-daemon',
    hazard: 'none',
    draw: (stage, random) => drawOne(daemons(stage), random, { span: { lowMs: 0, highMs: 3_000 }, act: killFor }),
  },
  {
    name: 'freeze-daemon',
    hazard: 'none',
    draw: (stage, random) => drawOne(daemons(stage), random, { span: short, act: freezeFor }),
  },
  {
    name: 'restart-daemon',
    hazard: 'none',
    draw: (stage, random) => drawOne(daemons(stage), random, { span: { lowMs: 0, highMs: 1_000 }, act: restartAfter }),
  },
  {
    name: 'reload-daemon',
    hazard: 'none',
    draw: (stage, random) => {
      const daemon = random.pick(daemons(stage));
      return { target: daemon.name, run: async () => (daemon.running ? daemon.kill('SIGHUP') : undefined) };
    },
  },
  { name: 'kill-bridges', hazard: 'none', draw: drawDeadBridges },
  {
    name: 'kill-consul',
    hazard: 'none',
    draw: (stage, random) => drawOne([stage.consul], random, { span: short, act: killFor }),
  },
  {
    name: 'freeze-consul',
    hazard: 'none',
    draw: (stage, random) => drawOne([stage.consul], random, { span: short, act: freezeFor }),
  },
  {
    name: 'restart-consul',
    hazard: 'none',
    draw: (stage, random) => drawOne([stage.consul], random, { span: short, act: restartAfter }),
  },
  { name: 'wipe-consul', hazard: 'none', draw: drawConsulWipe },
  {
    name: 'reload-haproxy',
    hazard: 'none',
    draw: (stage) => ({ target: stage.haproxy.name, run: () => stage.haproxy.kill('SIGUSR2') }),
  },
  {
    name: 'kill-proxy',
    hazard: 'none',
    draw: (stage, random) => drawOne(proxies(stage), random, { span: { lowMs: 0, highMs: 2_000 }, act: killFor }),
  },
  {
    name: 'freeze-proxy',
    hazard: 'none',
    draw: (stage, random) => drawOne(proxies(stage), random, { span: short, act: freezeFor }),
  },
];

function drawDeadBridges(stage: Stage, random: Random): DrawnFault {
  const forMs = random.between(0, 3_000);
  const run = async () => void (await Promise.all(stage.bridges.map((bridge) => killFor(bridge, forMs))));
  return { target: `both for ${forMs} ms`, stops: stage.bridges, run };
}

/** A Consul that lost its data. */
function drawConsulWipe({ consul }: Stage, random: Random): DrawnFault {
  const forMs = random.between(short.lowMs, short.highMs);
  const run = async () => {
    if (!consul.running) return;
    await consul.kill();
    consul.wipe();
    await lasting(forMs);
    if (!consul.running) await consul.start();
  };
  return { target: `${consul.name} for ${forMs} ms`, stops: [consul], run };
}
