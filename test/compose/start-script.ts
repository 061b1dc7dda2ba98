import { existsSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Mount, Service } from './file.ts';
import type { ImageRoot } from './local-images.ts';

export interface ContainerPlan {
  readonly service: Service;
  /** Has `root`, `upper` and `work`, which stay when the container starts again. */
  readonly folder: string;
  readonly namespace: string;
  readonly image: ImageRoot;
  readonly mounts: readonly (Mount & { readonly source: string })[];
  readonly ids: readonly [uid: string, gid: string];
}

/**
 * `start` builds the container's file system and becomes its first process, in new namespaces for mounts, process ids and the
 * host name. `enter` runs a program in the file system, as the container's user.
 */
export function startScript(plan: ContainerPlan): { readonly start: string; readonly enter: string } {
  const { service, folder, image, mounts } = plan;
  const root = join(folder, 'root');
  const { entrypoint, command, init } = service;
  const argv = [...(entrypoint ?? []), ...(command.length > 0 ? command : image.command)];
  const enter = join(folder, 'enter');
  const lines = [
    '#!/bin/sh',
    'set -e',
    ...limit(plan),
    'mount --make-rprivate /',
    `hostname ${quote(service.name)}`,
    `mount -t overlay overlay -o ${quote(overlay(folder, image))} ${quote(root)}`,
    `mkdir -p ${['proc', 'dev', 'tmp', 'run'].map((name) => quote(join(root, name))).join(' ')}`,
    `mount -t proc proc ${quote(join(root, 'proc'))}`,
    `mount --rbind /dev ${quote(join(root, 'dev'))}`,
    `echo '127.0.0.1 localhost ${service.name}' > ${quote(join(root, 'etc/hosts'))}`,
    ...Object.entries(image.links).map(
      ([name, path]) => `ln -sf ${quote(path)} ${quote(join(root, 'usr/local/bin', name))}`,
    ),
    ...[...mounts.map(({ target }) => target), ...service.tmpfs].map((target) => makeTarget(root, target, mounts)),
    ...(service.readOnly ? [`mount -o remount,ro ${quote(root)}`] : []),
    ...mounts.flatMap((mount) => bind(root, mount)),
    ...service.tmpfs.map((target) => `mount -t tmpfs -o mode=1777 tmpfs ${quote(join(root, target))}`),
    // Docker's init passes signals on, and ends with the program.
    ...(init
      ? [
          'set +e',
          `${quote(enter)} ${argv.map(quote).join(' ')} &`,
          'child=$!',
          'trap "kill -TERM $child" TERM INT',
          'while kill -0 $child 2>/dev/null; do wait $child; code=$?; done',
          'exit $code',
        ]
      : [`exec ${quote(enter)} ${argv.map(quote).join(' ')}`]),
  ];
  return { start: `${lines.join('\n')}\n`, enter: enterScript(plan, root) };
}

function enterScript({ service, image, ids: [uid, gid] }: ContainerPlan, root: string): string {
  const { dropped, added } = service.capabilities;
  const kept = added.map((name) => `+${name.toLowerCase()}`);
  const caps = [...(dropped.includes('ALL') ? ['-all'] : []), ...kept].join(',');
  const privileges = [
    `--reuid=${uid}`,
    `--regid=${gid}`,
    '--clear-groups',
    ...(caps === '' ? [] : [`--bounding-set=${caps}`]),
    ...(service.securityOptions.includes('no-new-privileges:true') ? ['--no-new-privs'] : []),
  ];
  const environment = {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    HOSTNAME: service.name,
    HOME: '/',
    ...service.environment,
  };
  const variables = Object.entries(environment).map(([name, value]) => quote(`${name}=${value}`));
  const inside = `cd ${quote(image.workdir)} && exec setpriv ${privileges.join(' ')} env -i ${variables.join(' ')} "$@"`;
  return `#!/bin/sh\nexec chroot ${quote(root)} /bin/sh -c ${quote(inside)} sh "$@"\n`;
}

/** The limits that this machine cannot apply: they need cgroup version 1. In version 2, a limit needs a cgroup that somebody delegated. */
export function limitsNotApplied(): readonly string[] {
  return ['memory', 'pids'].filter((controller) => !existsSync(controllerDir(controller)));
}

function controllerDir(controller: string): string {
  return `/sys/fs/cgroup/${controller}`;
}

function limit({ service, folder }: ContainerPlan): readonly string[] {
  const { memoryBytes, pids } = service.limits;
  const group = cgroupOf(folder);
  const limits = [
    { controller: 'memory', file: 'memory.limit_in_bytes', value: memoryBytes },
    { controller: 'pids', file: 'pids.max', value: pids },
  ];
  return limits.map(({ controller, file, value }) => {
    const path = controllerDir(controller);
    const steps = [
      `mkdir -p ${path}/${group}`,
      `echo ${value} > ${path}/${group}/${file}`,
      `echo 0 > ${path}/${group}/cgroup.procs`,
    ];
    return `if [ -w ${path} ]; then ${steps.join('; ')}; fi`;
  });
}

/** The name of the container's cgroups: of the folder above its own, which is unique, and of its own. */
function cgroupOf(folder: string): string {
  return `${basename(dirname(folder))}-${basename(folder)}`;
}

function overlay(folder: string, { folders }: ImageRoot): string {
  return `lowerdir=${folders.toReversed().join(':')},upperdir=${join(folder, 'upper')},workdir=${join(folder, 'work')}`;
}

function makeTarget(root: string, target: string, mounts: ContainerPlan['mounts']): string {
  const path = join(root, target);
  const source = mounts.find((mount) => mount.target === target)?.source;
  if (source === undefined || statSync(source).isDirectory()) return `mkdir -p ${quote(path)}`;
  return `mkdir -p ${quote(join(path, '..'))} && touch ${quote(path)}`;
}

function bind(root: string, { source, target, access }: Mount & { readonly source: string }): readonly string[] {
  const path = quote(join(root, target));
  const lines = [`mount --bind ${quote(source)} ${path}`];
  return access === 'read-only' ? [...lines, `mount -o remount,bind,ro ${path}`] : lines;
}

function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
