import { Option } from 'commander';

/** `--config`, which may be repeated: files and folders, merged in this order. */
export function configOption(): Option {
  return new Option('-c, --config <path>', 'a config file, or a folder of *.yml, *.yaml and *.json; may be repeated')
    .argParser((value: string, before: readonly string[] | undefined) => [...(before ?? []), value])
    .default([], 'none: a Sentinel and a Consul on this machine');
}

export function jsonOption(): Option {
  return new Option('--json', 'print for machines');
}
