import { describeValue, templateFailure } from './helper.ts';

export interface Listeners<Master> {
  /** The masters that have a port, each with it as `listen`. */
  readonly listeners: readonly (Master & { readonly listen: number })[];
  /** The masters without a port. */
  readonly without: readonly Master[];
  /** One sentence for each master without a port. */
  readonly warnings: readonly string[];
}

/**
 * Gives each master the port that the config names for it. A port is never derived from a master's position among the
 * others: a new master would take over the port of another one, with its clients' writes. Throws `template-failed` where
 * two masters have the same port, where a master has the port of the `reserved` listener, or where nothing has a port.
 */
export function planListeners<Master extends { readonly name: string }>(input: {
  readonly masters: readonly Master[];
  /** Ports by master name, from the config. */
  readonly ports: unknown;
  /** `address:port` of another listener in the same file. */
  readonly reserved: unknown;
}): Listeners<Master> {
  const { masters, reserved } = input;
  const ports = readPorts(input.ports);
  refuseSharedPorts(ports, reserved);
  const known = (name: string) => toPort(ports.get(name));
  const listeners = masters.flatMap((master) => {
    const listen = known(master.name);
    return listen === undefined ? [] : [{ ...master, listen }];
  });
  const without = masters.filter(({ name }) => known(name) === undefined);
  if (listeners.length === 0 && without.length > 0 && reserved === undefined) {
    const example = `{ ${without[0]?.name ?? 'shard1'}: 16379 }`;
    throw templateFailure(`vars.ports names no port for ${namesOf(without)}: set it, for example to ${example}.`);
  }
  return { listeners, without, warnings: without.map(({ name }) => describeGap(name, ports.get(name))) };
}

function readPorts(ports: unknown): ReadonlyMap<string, unknown> {
  if (ports === undefined || ports === null) return new Map();
  if (typeof ports === 'object' && !Array.isArray(ports)) return new Map(Object.entries(ports));
  throw templateFailure(`vars.ports must map the names of masters to ports, and is ${describeValue(ports)}.`);
}

/** Two listeners on one port would share its connections at random, without an error from HAProxy. */
function refuseSharedPorts(ports: ReadonlyMap<string, unknown>, reserved: unknown): void {
  const owners = new Map<number, string>();
  const reservedPort = toPort(/:(\d+)$/.exec(String(reserved ?? ''))?.[1]);
  if (reservedPort !== undefined) owners.set(reservedPort, `the listener ${String(reserved)}`);
  for (const [name, value] of ports) {
    const port = toPort(value);
    if (port === undefined) continue;
    const owner = owners.get(port);
    if (owner !== undefined) {
      throw templateFailure(`vars.ports gives port ${port} to "${name}", and ${owner} has it. Give each its own port.`);
    }
    owners.set(port, `"${name}"`);
  }
}

function toPort(value: unknown): number | undefined {
  const port = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
  return typeof port === 'number' && Number.isInteger(port) && port >= 1 && port <= 65_535 ? port : undefined;
}

function describeGap(name: string, given: unknown): string {
  if (given === undefined) return `The master "${name}" is left out: set vars.ports.${name} to a port of its own.`;
  return `The master "${name}" is left out: vars.ports.${name} is ${describeValue(given)}, not a port from 1 to 65535.`;
}

function namesOf(masters: readonly { readonly name: string }[]): string {
  return masters.map(({ name }) => `"${name}"`).join(', ');
}
