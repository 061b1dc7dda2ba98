import { readdir } from 'node:fs/promises';
import { isConfigFile } from '../lib/config/document.ts';
import { withinDeadline } from '../lib/file-system.ts';

/** Where a node has its config. */
const defaultFolder = '/etc/switchmaster';

export interface ConfigPaths {
  /** Empty: the config without any file. */
  readonly paths: readonly string[];
  /** A sentence where `--config` is left out. */
  readonly note: string | undefined;
}

/** What `--config` names, or the node's own config, where it has one. */
export async function findConfig(given: readonly string[], folder = defaultFolder): Promise<ConfigPaths> {
  if (given.length > 0) return { paths: given, note: undefined };
  const names = await withinDeadline(folder, () => readdir(folder)).catch((thrown: NodeJS.ErrnoException) => thrown);
  if (names instanceof Error && names.code !== 'ENOENT' && names.code !== 'ENOTDIR') {
    return { paths: [folder], note: `no --config: reading ${folder}` };
  }
  if (!(names instanceof Error) && names.some(isConfigFile)) {
    return { paths: [folder], note: `no --config: reading ${folder}` };
  }
  const absent = names instanceof Error ? `there is no ${folder}` : `${folder} has no *.yml, *.yaml or *.json file`;
  const note = `no --config, and ${absent}: using the default, a Sentinel at 127.0.0.1:26379 and the Consul of CONSUL_HTTP_ADDR, or at 127.0.0.1:8500`;
  return { paths: [], note };
}

/** As {@link findConfig}; prints the note to standard error. */
export async function chooseConfig(given: readonly string[]): Promise<readonly string[]> {
  const { paths, note } = await findConfig(given);
  if (note !== undefined) process.stderr.write(`${note}\n`);
  return paths;
}
