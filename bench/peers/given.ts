import { accessSync, constants, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { startConsulTemplaterb } from './consul-templaterb.ts';
import type { Consumer, PeersWorld } from './consumer.ts';
import { startRedisTwemproxyAgent } from './redis-twemproxy-agent.ts';
import { startRedishappy } from './redishappy.ts';
import { startSmitty } from './smitty.ts';

/** Absolute paths of programs that the user has installed. */
export interface GivenPrograms {
  readonly redisTwemproxyAgent?: string;
  readonly consulTemplaterb?: string;
  readonly redishappy?: string;
  readonly smitty?: string;
}

interface GivenPeer {
  readonly option: keyof GivenPrograms;
  /** Also its option on the command line. */
  readonly name: string;
  /** Why the bench has no program of its own. */
  readonly reason: string;
  /** Rejects, with the end of its log, if it ends or does not follow the masters. */
  readonly start: (world: PeersWorld, program: string) => Promise<readonly Consumer[]>;
}

const notInstalled = 'the bench does not install it';
const notInProxy = 'the Go module proxy does not have it';

const givenPeers: readonly GivenPeer[] = [
  {
    option: 'redisTwemproxyAgent',
    name: 'redis-twemproxy-agent',
    reason: notInstalled,
    start: startRedisTwemproxyAgent,
  },
  { option: 'consulTemplaterb', name: 'consul-templaterb', reason: notInstalled, start: startConsulTemplaterb },
  { option: 'redishappy', name: 'redishappy', reason: notInProxy, start: startRedishappy },
  { option: 'smitty', name: 'smitty', reason: notInProxy, start: startSmitty },
];

/** The absolute path of an executable file. Throws an error that commander shows. */
export function toProgram(path: string): string {
  const program = resolve(path);
  if (!statSync(program, { throwIfNoEntry: false })?.isFile()) {
    throw new InvalidArgumentError(
      `there is no file ${program}: give the path of the program or of a script that starts it`,
    );
  }
  try {
    accessSync(program, constants.X_OK);
  } catch {
    throw new InvalidArgumentError(`${program} cannot be executed: run \`chmod +x ${program}\``);
  }
  return program;
}

export function reportLeftOut(programs: GivenPrograms, logLine: (line: string) => void): void {
  for (const { option, name, reason } of givenPeers) {
    if (programs[option] === undefined) {
      logLine(`${name} is left out: ${reason}; give its program with --${name} <path>`);
    }
  }
}

export async function startGivenPeers(world: PeersWorld, programs: GivenPrograms): Promise<readonly Consumer[]> {
  const started = givenPeers.map(async ({ option, start }) => {
    const program = programs[option];
    return program === undefined ? [] : start(world, program);
  });
  return (await Promise.all(started)).flat();
}
