import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import { withinDeadline } from '../file-system.ts';
import type { TemplateSpec } from '../model/template-spec.ts';
import { readDestination } from './apply/file.ts';
import { describeOwners, examineDestination } from './destination.ts';
import { emptyMemory } from './plan/rendering.ts';
import { compareFile } from './saved-state.ts';

/** Something that a template needs on this machine and that is not there. */
export interface Obstacle {
  /** The key of the template's settings. */
  readonly key: string;
  readonly message: string;
  readonly hint?: string;
}

/** Everything of a template that cannot work here. `places: tried`: whether its destination can be replaced, too. */
export async function findObstacles(
  spec: TemplateSpec,
  { places }: { readonly places: 'tried' | 'not-tried' },
): Promise<readonly Obstacle[]> {
  const [programs, owners, sandbox, pidFile, foreign, place] = await Promise.all([
    findMissingPrograms(spec),
    describeOwners(spec),
    findMissingSandbox(spec),
    findWrongPidFile(spec),
    findForeignFile(spec),
    places === 'tried' ? examineDestination(spec) : undefined,
  ]);
  return [
    ...programs,
    ...owners.map(({ key, message }) => ({ key, message, hint: 'until then the file keeps its owner' })),
    ...sandbox,
    ...pidFile,
    ...(foreign === undefined ? [] : [foreign]),
    ...(place === undefined ? [] : [{ key: 'destination', message: `cannot be written: ${place}` }]),
  ];
}

/** The programs of a template that cannot be started. */
async function findMissingPrograms(spec: TemplateSpec): Promise<readonly Obstacle[]> {
  const found = await Promise.all(
    programsOf(spec).map(async ({ key, program }) => {
      const fault = await faultOf(program);
      return fault === undefined ? [] : [{ key, ...fault }];
    }),
  );
  return found.flat();
}

/** A folder from which the template could read no file. */
async function findMissingSandbox({ sandboxPath }: TemplateSpec): Promise<readonly Obstacle[]> {
  if (sandboxPath === undefined) return [];
  const info = await withinDeadline(sandboxPath, () => stat(sandboxPath)).catch(() => undefined);
  if (info?.isDirectory() === true) return [];
  const message = `is ${sandboxPath}, and there is no such folder: the template can read no file`;
  return [{ key: 'sandboxPath', message, hint: 'create it, or correct the path' }];
}

/** The consumer writes its file when it starts: one that is missing is no mistake. */
async function findWrongPidFile({ reload }: TemplateSpec): Promise<readonly Obstacle[]> {
  if (reload?.kind !== 'signal') return [];
  const { pidFile } = reload;
  const info = await withinDeadline(pidFile, () => stat(pidFile)).catch(() => undefined);
  if (info === undefined || info.isFile()) return [];
  const message = `is ${pidFile}, which is no regular file: the reload could not read it`;
  return [{ key: 'reload.pidFile', message, hint: 'name the file with the process id of the consumer' }];
}

/** A destination that the first render would not replace. What the template renders to is not known here. */
async function findForeignFile(spec: TemplateSpec): Promise<Obstacle | undefined> {
  const { destination, takeover, upkeep } = spec;
  if (takeover === 'adopt' || upkeep === 'seed') return undefined;
  const present = await readDestination(destination).catch(() => undefined);
  const rendering = { kind: 'pending', missing: [] } as const;
  const file = await compareFile({ present, rendering }, { destination, memory: emptyMemory, owners: 'any' });
  if (file !== 'foreign') return undefined;
  const message = `is ${destination}, which exists and which switchmaster did not write: it is not replaced`;
  const hint =
    'compare with `switchmaster render --dry-run --diff`; `switchmaster render --adopt` replaces it and keeps it beside under a dated ' +
    'name, as adopt: true does; or choose another destination, such as a file in a conf.d folder';
  return { key: 'destination', message, hint };
}

function programsOf({
  check,
  reload,
  verify,
}: TemplateSpec): readonly { readonly key: string; readonly program: string }[] {
  const programs = [
    { key: 'check', argv: check?.argv },
    { key: 'reload', argv: reload?.kind === 'command' ? reload.command.argv : undefined },
    { key: 'reload.haproxy.fallback', argv: reload?.kind === 'haproxy' ? reload.fallback.argv : undefined },
    { key: 'reload.supervise', argv: reload?.kind === 'supervise' ? reload.command.argv : undefined },
    ...(verify?.probes ?? []).map((probe) => {
      return { key: 'verify.command', argv: probe.kind === 'command' ? probe.command.argv : undefined };
    }),
  ];
  return programs.flatMap(({ key, argv }) => (argv?.[0] === undefined ? [] : [{ key, program: argv[0] }]));
}

/** As the system looks for a program: by its path, or in the folders of PATH. */
async function faultOf(program: string): Promise<Omit<Obstacle, 'key'> | undefined> {
  const folders = (process.env.PATH ?? '/usr/bin:/bin').split(delimiter).filter((folder) => folder !== '');
  const places = program.includes('/') ? [resolve(program)] : folders.map((folder) => join(folder, program));
  let present: string | undefined;
  for (const place of places) {
    const state = await withinDeadline(place, () => stateOf(place)).catch(() => 'absent' as const);
    if (state === 'executable') return undefined;
    if (state === 'present') present ??= place;
  }
  if (present !== undefined) {
    return { message: `cannot start ${present}: it is not an executable file`, hint: `chmod +x ${present}` };
  }
  const where = program.includes('/') ? '' : ` in PATH (${folders.join(delimiter)})`;
  return {
    message: `cannot start "${program}": there is no such program${where}`,
    hint: 'install it, or write its path',
  };
}

async function stateOf(place: string): Promise<'executable' | 'present' | 'absent'> {
  const stats = await stat(place).catch(() => undefined);
  if (stats === undefined) return 'absent';
  const executable =
    stats.isFile() &&
    (await access(place, constants.X_OK).then(
      () => true,
      () => false,
    ));
  return executable ? 'executable' : 'present';
}
