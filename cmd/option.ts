import { InvalidArgumentError, Option } from 'commander';

/** `--config`, which may be repeated: files and folders, merged in this order. */
export function configOption(): Option {
  return new Option('-c, --config <path>', 'a config file, or a folder of *.yml, *.yaml and *.json; may be repeated')
    .argParser((value: string, before: readonly string[] | undefined) => [...(before ?? []), value])
    .default([], 'none: a Sentinel and a Consul on this machine');
}

export function jsonOption(): Option {
  return new Option('--json', 'print for machines');
}

/** What changing calls need. */
export function tokenOption(): Option {
  return new Option('--token-file <path>', 'a file with the API token (else SWITCHMASTER_API_TOKEN has it)');
}

/** Acts without asking. */
export function yesOption(): Option {
  return new Option('-y, --yes', 'act without asking');
}

/** Where the running switchmaster's API is. */
export function apiOption(): Option {
  return new Option('--api <url>', 'the API of a running switchmaster')
    .env('SWITCHMASTER_API')
    .default('http://127.0.0.1:8680')
    .argParser((value: string) => {
      const text = value.includes('://') ? value : `http://${value}`;
      if (URL.canParse(text)) return new URL(text).origin;
      throw new InvalidArgumentError('It is not an address: write http://host:port.');
    });
}
