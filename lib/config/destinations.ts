import { realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { withinDeadline } from '../file-system.ts';
import { backupPath, type TemplateSpec } from '../model/template-spec.ts';
import { hasControl } from '../template/format.ts';
import { isConfigFile } from './document.ts';
import type { Resolution } from './resolution.ts';
import { usedPaths } from './used-paths.ts';

/** The names beside a destination that the daemon uses: state, good copy and candidates. */
const sideFile = /^\..+\.switchmaster(?:[.-].*)?$/;

/**
 * Bytes that a destination's file name may have: 255 less the longest addition, `.before-switchmaster-20261129T120000Z`
 * (limits.h, NAME_MAX).
 */
const longestName = 218;

/** Files and sockets that the daemon uses itself, by their keys in the config. */
export type OwnFiles = Readonly<Record<string, string | undefined>>;

/** Reports destinations that are no file of their own: a folder, a device, a source, the file of another template. */
export async function checkDestinations(
  resolution: Resolution,
  given: {
    readonly templates: readonly (TemplateSpec & { readonly index: number })[];
    readonly ownFiles: OwnFiles;
  },
): Promise<void> {
  const { templates, ownFiles } = given;
  const sources = new Names();
  for (const file of resolution.files) await sources.add(file, 'a file that the config names');
  for (const file of resolution.documents) await sources.add(file, 'a config file');
  const sourcePaths = new Map<string, string>();
  for (const { source, contents, index } of templates) {
    const at = contents === undefined ? `templates[${index}].source` : 'this config file';
    await sources.add(source, at);
    sourcePaths.set(await realPath(source), at);
  }
  const used = new Names();
  for (const [key, file] of [...Object.entries(ownFiles), ...templates.flatMap(usedPaths)])
    if (file !== undefined) await used.add(file, key);
  const folders = new Set(await Promise.all(resolution.paths.map((given) => realPath(path.resolve(given)))));
  for (const { destination, placement, index } of templates) {
    const real = await realPath(destination);
    const problem =
      describeKind(destination, await statOf(destination)) ??
      describeFolder(real, folders) ??
      describeUse(destination, {
        source: await sources.find(destination, placement),
        other: await used.find(destination, placement),
        partialOf: partialOf(real, sourcePaths),
      });
    if (problem !== undefined) resolution.report({ at: ['templates', index, 'destination'] }, problem);
    await used.add(destination, `templates[${index}].destination`);
  }
  for (const { destination, backup, index } of templates) {
    const kept = backupPath(await realPath(destination));
    const found =
      backup === 'kept' ? ((await sources.find(kept, 'rename')) ?? (await used.find(kept, 'rename'))) : undefined;
    if (found === undefined) continue;
    const hint = 'leave backup out, or give that file another name';
    resolution.report(
      { at: ['templates', index, 'backup'] },
      { message: `would replace ${kept}, which is ${found.use}`, hint },
    );
  }
  await checkPidFiles(resolution, given);
}

/** A daemon that signals itself would reload or stop. */
async function checkPidFiles(resolution: Resolution, { templates, ownFiles }: Parameters<typeof checkDestinations>[1]) {
  const own = ownFiles.pidFile === undefined ? undefined : await realPath(ownFiles.pidFile);
  for (const { reload, index } of templates) {
    if (own === undefined || reload?.kind !== 'signal' || (await realPath(reload.pidFile)) !== own) continue;
    const hint = 'name the file with the process id of the consumer';
    const at = ['templates', index, 'reload', 'pidFile'];
    resolution.report({ at }, { message: `${reload.pidFile} has the process id of switchmaster itself`, hint });
  }
}

interface Use {
  readonly file: string;
  readonly use: string;
}

/** What files are used for, by each of their names: a link, a folder that is mounted twice, a name in other letters. */
class Names {
  readonly #uses = new Map<string, Use>();

  async add(file: string, use: string): Promise<void> {
    for (const key of await this.#keysOf(file, 'any-link')) this.#uses.set(key, { file: path.normalize(file), use });
  }

  /** A hard link is a name of its own, unless the file is overwritten in place. */
  async find(file: string, placement: TemplateSpec['placement']): Promise<Use | undefined> {
    const keys = await this.#keysOf(file, placement === 'in-place' ? 'any-link' : 'only-link');
    return keys.map((key) => this.#uses.get(key)).find((use) => use !== undefined);
  }

  async #keysOf(file: string, links: 'any-link' | 'only-link'): Promise<readonly string[]> {
    const real = await realPath(file);
    const [info, folder] = await Promise.all([statOf(real), statOf(path.dirname(real))]);
    const isSame = info !== undefined && (links === 'any-link' || info.nlink === 1);
    return [
      real,
      ...(folder === undefined ? [] : [`${folder.dev} ${folder.ino} ${path.basename(real)}`]),
      ...(isSame ? [`${info.dev} ${info.ino}`] : []),
    ];
  }
}

interface Described {
  readonly message: string;
  readonly hint?: string;
}

function describeKind(destination: string, stats: Awaited<ReturnType<typeof statOf>>): Described | undefined {
  const hint = 'name a file';
  if (destination.endsWith('/') || stats?.isDirectory() === true)
    return { message: `${destination} is a folder`, hint };
  if (stats !== undefined && !stats.isFile()) {
    return { message: `${destination} is a device, a pipe or a socket`, hint };
  }
  const length = Buffer.byteLength(path.basename(destination));
  if (length > longestName) {
    const message = `the file name of ${destination} has ${length} bytes, and files beside it have longer names`;
    return { message, hint: `use at most ${longestName} bytes` };
  }
  if (destination.includes('{{')) return { message: `${destination} has {{, and nothing replaces it here`, hint };
  if (hasControl(destination)) return { message: `${JSON.stringify(destination)} has a control character`, hint };
  if (!sideFile.test(path.basename(destination))) return undefined;
  return { message: `${destination} has a name that switchmaster uses for files beside a destination`, hint };
}

/** The next reload would read the output as a part of the config. */
function describeFolder(real: string, folders: ReadonlySet<string>): Described | undefined {
  if (!folders.has(path.dirname(real)) || !isConfigFile(path.basename(real))) return undefined;
  const message = `${real} is in the folder of the config, and the daemon would read it as a part of the config`;
  return { message, hint: 'name a file in another folder' };
}

function describeUse(
  destination: string,
  { source, other, partialOf }: { source: Use | undefined; other: Use | undefined; partialOf: string | undefined },
): Described | undefined {
  const hint = 'give the template a file of its own';
  if (source !== undefined) return { message: `${destination} is ${source.use}, which it would overwrite`, hint };
  if (partialOf !== undefined) return { message: `${destination} is a partial of ${partialOf}`, hint };
  if (other === undefined) return undefined;
  return { message: `${destination} is ${other.use} too${other.file === destination ? '' : ', through a link'}`, hint };
}

function partialOf(real: string, sources: ReadonlyMap<string, string>): string | undefined {
  const name = path.basename(real);
  if (!name.startsWith('_') || !name.endsWith('.hbs')) return undefined;
  return [...sources].find(([source]) => path.dirname(source) === path.dirname(real))?.[1];
}

function statOf(file: string) {
  return withinDeadline(file, () => stat(file)).catch(() => undefined);
}

/** The path without links, as far as it exists. */
async function realPath(file: string): Promise<string> {
  const real = await withinDeadline(file, () => realpath(file)).catch(() => undefined);
  if (real !== undefined) return real;
  const folder = path.dirname(file);
  const realFolder = await withinDeadline(folder, () => realpath(folder)).catch(() => folder);
  return path.join(realFolder, path.basename(file));
}
