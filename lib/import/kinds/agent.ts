import { toArgv } from '../command.ts';
import type { ImportFile, ImportResult, ReadFile } from '../output.ts';
import { ImportOutput } from '../output.ts';
import { poolsEntry, readPools } from './twemproxy.ts';

/** What an agent beside twemproxy is configured with. */
export interface AgentSettings {
  readonly file: ImportFile;
  readonly sentinel: string;
  readonly proxyConfig: string;
  readonly command: string;
  /** The pool that it keeps; undefined for all. */
  readonly pool: string | undefined;
}

/** Both agents that rewrite twemproxy's config in place: the same config replaces them. */
export async function importAgent(
  settings: AgentSettings,
  { files, read }: { readonly files: readonly ImportFile[]; readonly read: ReadFile },
): Promise<ImportResult> {
  const { file, sentinel, proxyConfig, command, pool } = settings;
  const output = new ImportOutput();
  const others = files.filter((one) => one !== file);
  const text = others[0]?.text ?? (await read(proxyConfig, file.path));
  const path = others[0]?.path ?? proxyConfig;
  const sections = { sentinel: { addresses: [sentinel] } };
  output.differs(file.path, {
    line: 1,
    what: sentinel,
    why: 'one Sentinel alone is asked',
    advice: 'list all Sentinels in sentinel.addresses, so that a majority decides',
  });
  if (text === undefined) {
    const advice = 'import again with that file as the second one';
    output.leave(file.path, { line: 1, what: proxyConfig, why: `${proxyConfig} cannot be read`, advice });
    return output.finish(sections);
  }
  const all = readPools({ path, text }, output);
  for (const { name, line } of all.filter((one) => pool !== undefined && one.name !== pool)) {
    const advice = 'give its servers the names of masters, or keep a twemproxy of its own for it';
    output.leave(path, { line, what: name, why: `the agent does not keep the pool ${name}`, advice });
  }
  const kept = all.filter((one) => pool === undefined || one.name === pool);
  if (kept.length === 0) {
    const advice = 'name a pool of that file';
    output.leave(file.path, { line: 1, what: String(pool), why: `${path} has no pool ${pool}`, advice });
  }
  const masters = [...new Set(kept.flatMap((one) => one.masters))];
  return output.finish({
    sentinel: { ...sections.sentinel, ...(masters.length === 0 ? {} : { masters }) },
    templates: [poolsEntry(kept, { destination: proxyConfig, reload: toArgv(command) })],
  });
}
