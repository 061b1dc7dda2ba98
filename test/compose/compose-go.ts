import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { type ComposeFile, projectDir, type Service } from './file.ts';

/** A service as compose-go prints it. */
interface Read {
  readonly image: string;
  readonly command: readonly string[] | null;
  readonly entrypoint: readonly string[] | null;
  readonly user?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly cap_add?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly read_only?: boolean;
  readonly healthcheck?: { readonly test: readonly string[]; readonly retries: number };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly network_mode?: string;
}

/**
 * Checks that Docker Compose's own parser, with its schema, accepts the file, and reads the same as these tests. Rejects, with a
 * hint, without Go.
 */
export async function compareWithComposeGo(file: ComposeFile): Promise<void> {
  const services = await readWithComposeGo();
  assert.deepEqual(Object.keys(services).toSorted(), [...file.services.keys()].toSorted());
  for (const [name, read] of Object.entries(services)) {
    const service = file.services.get(name);
    assert.deepEqual(service && summarize(service), summarizeRead(read), `${name} as compose-go reads it`);
  }
}

function summarize({ health, dependsOn, net, capabilities, ...service }: Service) {
  return {
    image: service.image,
    command: service.command,
    entrypoint: service.entrypoint ?? [],
    user: service.user,
    environment: service.environment,
    added: capabilities.added,
    security: service.securityOptions,
    readOnly: service.readOnly,
    health: health && { test: health.test, retries: health.retries },
    dependsOn,
    network: net.kind === 'shared' ? `service:${net.service}` : undefined,
  };
}

function summarizeRead(read: Read): ReturnType<typeof summarize> {
  const [kind, ...words] = read.healthcheck?.test ?? [];
  const test = kind === 'CMD-SHELL' ? ['/bin/sh', '-c', ...words] : words;
  const dependsOn = Object.entries(read.depends_on ?? {}).map(([name, { condition }]) => [name, condition]);
  return {
    image: read.image,
    command: read.command ?? [],
    entrypoint: read.entrypoint ?? [],
    user: read.user,
    environment: read.environment ?? {},
    added: read.cap_add ?? [],
    security: read.security_opt ?? [],
    readOnly: read.read_only ?? false,
    health: read.healthcheck && { test: test as [string, ...string[]], retries: read.healthcheck.retries },
    dependsOn: Object.fromEntries(dependsOn),
    network: read.network_mode,
  };
}

async function readWithComposeGo(): Promise<Readonly<Record<string, Read>>> {
  const path = [process.env.PATH ?? '', '/usr/local/go/bin', '/usr/lib/go/bin'].join(delimiter);
  const argv = ['run', '.', join(projectDir, 'docker-compose.yml'), 'cluster'];
  const options = { cwd: join(import.meta.dirname, 'go'), env: { ...process.env, PATH: path }, timeout: 900_000 };
  const { stdout } = await promisify(execFile)('go', argv, { ...options, maxBuffer: 16 * 1024 * 1024 }).catch(
    (error) => {
      if (error.code !== 'ENOENT') throw error;
      throw new Error(
        'test:compose reads the file with compose-go too: install Go (https://go.dev/doc/install), and run again',
      );
    },
  );
  return JSON.parse(stdout).services;
}
