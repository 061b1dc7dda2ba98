import { isMap, isScalar, LineCounter, parseDocument } from 'yaml';
import type { ImportFile, ImportResult, ReadFile } from '../output.ts';
import { importInvalid } from '../problem.ts';
import { importAgent } from './agent.ts';

const needed = ['twemproxy_pool_name', 'twemproxy_config_file', 'sentinel_ip', 'sentinel_port', 'restart_command'];

/** smitty's YAML, and as a second file the config of twemproxy if its path is not that of this machine. */
export function importSmitty(files: readonly ImportFile[], read: ReadFile): Promise<ImportResult> {
  const [file] = files;
  if (file === undefined) throw importInvalid({ file: 'smitty' }, 'a file is missing');
  const { path, text } = file;
  const counter = new LineCounter();
  const { contents, errors } = parseDocument(text, { lineCounter: counter });
  const [error] = errors;
  if (error !== undefined)
    throw importInvalid({ file: path, line: counter.linePos(error.pos[0]).line }, error.message.split('\n')[0] ?? '');
  const items = isMap(contents) ? contents.items : [];
  const given = new Map(
    items.map(({ key, value }) => [
      String(isScalar(key) ? key.value : key),
      isScalar(value) ? String(value.value) : '',
    ]),
  );
  const missing = needed.filter((name) => (given.get(name) ?? '') === '');
  if (missing.length > 0)
    throw importInvalid({ file: path, line: 1 }, `it is no config of smitty: it has no ${missing.join(', ')}`);
  const lineOf = (name: string) => {
    const key = items.find((item) => isScalar(item.key) && item.key.value === name)?.key;
    return isScalar(key) ? counter.linePos(key.range?.[0] ?? 0).line : 1;
  };
  const settingOf = (name: string) => given.get(name) ?? '';
  const settings = {
    file,
    host: settingOf('sentinel_ip'),
    port: settingOf('sentinel_port'),
    lines: { host: lineOf('sentinel_ip'), proxyConfig: lineOf('twemproxy_config_file') },
    pathSetting: 'twemproxy_config_file',
    proxyConfig: settingOf('twemproxy_config_file'),
    command: settingOf('restart_command'),
    pool: settingOf('twemproxy_pool_name'),
  };
  return importAgent(settings, { files, read });
}
