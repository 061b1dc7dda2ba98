// Builds the image of a Dockerfile in a chroot, instruction by instruction: the instructions that the project's own uses. The
// process needs a mount namespace of its own, and root.
import { globSync } from 'node:fs';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { baseLayers, runInside } from './base-image.ts';
import { run } from './command.ts';
import { type Instruction, readDockerfile } from './dockerfile.ts';
import { projectDir } from './file.ts';
import { addLayer, digestPath, type Layers, withLayers } from './layers.ts';

export interface Image {
  /** The lowest one first. */
  readonly folders: readonly string[];
  readonly workdir: string;
  readonly user: string;
  readonly command: readonly string[];
}

interface Building {
  readonly layers: Layers;
  readonly image: Omit<Image, 'folders'>;
}

interface BuildContext {
  readonly cacheDir: string;
  readonly stages: ReadonlyMap<string, Layers>;
}

/** Each layer stays in `.tools/compose/layers` until something that it was made from changes, as in a Docker build. */
export async function buildImage(dockerfile: string, logLine: (line: string) => void): Promise<Image> {
  const cacheDir = join(projectDir, '.tools/compose/layers');
  await mkdir(cacheDir, { recursive: true });
  const stages = new Map<string, Layers>();
  let built: Building | undefined;
  for (const { base, name, instructions } of readDockerfile(dockerfile)) {
    built = { layers: await baseLayers(base, logLine), image: { workdir: '/', user: 'root', command: [] } };
    for (const instruction of instructions) {
      logLine(`${instruction.word} ${instruction.rest.replaceAll(/\s+/g, ' ').slice(0, 100)}`);
      built = await carryOut(instruction, built, { cacheDir, stages });
    }
    if (name !== undefined) stages.set(name, built.layers);
  }
  if (built === undefined) throw new Error(`${dockerfile} has no stage`);
  await removeUnused(cacheDir, [...stages.values(), built.layers]);
  return { folders: built.layers.folders, ...built.image };
}

async function removeUnused(cacheDir: string, layers: readonly Layers[]): Promise<void> {
  const used = layers.flatMap(({ folders }) => folders);
  const unused = (await readdir(cacheDir)).map((entry) => join(cacheDir, entry)).filter((path) => !used.includes(path));
  for (const path of unused) await rm(path, { recursive: true });
}

async function carryOut(
  { word, rest }: Instruction,
  { layers, image }: Building,
  { cacheDir, stages }: BuildContext,
): Promise<Building> {
  const { workdir } = image;
  const add = async (made: string, fill: (root: string) => Promise<unknown>): Promise<Building> => ({
    layers: await addLayer(layers, { cacheDir, madeFrom: `${word} ${rest}\n${workdir}\n${made}`, fill }),
    image,
  });
  switch (word) {
    case 'WORKDIR': {
      const made = await add('', (root) => mkdir(join(root, rest), { recursive: true }));
      return { ...made, image: { ...image, workdir: rest } };
    }
    case 'RUN':
      if (image.user !== 'root') throw new Error(`RUN as ${image.user}: the tests run as root only`);
      return await add('', (root) => runInside(root, { workdir, line: rest }));
    case 'COPY': {
      const copy = await readCopy(rest, stages);
      return await add(copy.digest, (root) => copy.into(root, workdir));
    }
    case 'USER':
      return { layers, image: { ...image, user: rest } };
    case 'CMD':
      return { layers, image: { ...image, command: JSON.parse(rest) } };
    default:
      throw new Error(`the tests do not know the instruction ${word}`);
  }
}

interface Copy {
  readonly digest: string;
  readonly into: (root: string, workdir: string) => Promise<void>;
}

async function readCopy(rest: string, stages: ReadonlyMap<string, Layers>): Promise<Copy> {
  const [, stageName, words = ''] = /^(?:--from=(\S+) )?(.*)$/.exec(rest) ?? [];
  const paths = words.split(/\s+/);
  const [sources, target] = [paths.slice(0, -1), paths.at(-1) ?? ''];
  if (stageName !== undefined) {
    const stage = stages.get(stageName);
    if (stage === undefined) throw new Error(`there is no stage ${stageName}`);
    const into = (root: string, workdir: string) =>
      withLayers(stage, (from) => copyAll({ from, sources, root, workdir, target }));
    return { digest: stage.key, into };
  }
  const found = sources.flatMap((source) => globSync(source, { cwd: projectDir }).toSorted());
  const digests = await Promise.all(found.map((source) => digestPath(join(projectDir, source))));
  const into = (root: string, workdir: string) => copyAll({ from: projectDir, sources: found, root, workdir, target });
  return { digest: digests.join(' '), into };
}

/** The content of a folder, or the file itself; a target that ends with a slash is a folder. */
async function copyAll({
  from,
  sources,
  root,
  workdir,
  target,
}: {
  readonly from: string;
  readonly sources: readonly string[];
  readonly root: string;
  readonly workdir: string;
  readonly target: string;
}): Promise<void> {
  const destination = join(root, target.startsWith('/') ? '' : workdir, target);
  for (const source of sources) {
    const path = join(from, source);
    const isFolder = (await stat(path)).isDirectory();
    if (isFolder || target.endsWith('/')) await mkdir(destination, { recursive: true });
    const to = isFolder || !target.endsWith('/') ? destination : join(destination, basename(source));
    const argv = ['cp', '-R', '--preserve=mode,links', isFolder ? `${path}/.` : path, to];
    await run(argv, { timeoutMs: 300_000 });
  }
}
