import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Address, formatAddress, parseAddress } from '../lib/model/address.ts';
import { parseDuration } from '../lib/model/duration.ts';

/** `--config`, which may be repeated: files and folders, merged in this order. */
export function configOption(): Option {
  return new Option('-c, --config <path>', 'a config file, or a folder of *.yml, *.yaml and *.json; may be repeated')
    .argParser((value: string, before: readonly string[] | undefined) => [...(before ?? []), value])
    .default([], 'none: a Sentinel and a Consul on this machine');
}

export function jsonOption(): Option {
  return new Option('--json', 'print for machines');
}

/** Where a running switchmaster's API is, and how its certificate and ours are proven. */
export interface ApiOptions {
  /** Scheme, host and port. */
  readonly api: string;
  readonly caFile?: string;
  readonly clientCert?: string;
  readonly clientKey?: string;
  readonly tlsServerName?: string;
}

/** What every command takes that asks a running switchmaster. */
export interface AskOptions extends ApiOptions {
  readonly json?: true;
}

/** What every command takes that changes something there. */
export interface OrderOptions extends AskOptions {
  readonly tokenFile?: string;
  readonly yes?: true;
}

/** Who is to become master, and how long each stage may take. */
export interface FailoverOptions extends OrderOptions {
  readonly replica?: string;
  /** A duration. */
  readonly timeout: string;
}

export function addAskOptions(command: Command): Command {
  const where = [apiOption(), ...tlsOptions()].map((option) => option.helpGroup('Where the API is:'));
  const options = [jsonOption(), ...where];
  return options.reduce((to, option) => to.addOption(option), command);
}

/** With the master's name, which every such command takes. */
export function addOrderOptions(command: Command): Command {
  command
    .argument('<master>', "a master's name")
    .option('-y, --yes', 'act without asking')
    .option('--token-file <path>', 'a file with the API token (else SWITCHMASTER_API_TOKEN has it)');
  return addAskOptions(command);
}

export function addFailoverOptions(command: Command): Command {
  command
    .option('--replica <host:port>', 'who is to become master; else Sentinel chooses', (value) =>
      formatAddress(readAddress(value)),
    )
    .option('--timeout <duration>', 'for each stage of the failover', readTimeout, '10s');
  return addOrderOptions(command);
}

export function readAddress(value: string): Address {
  const address = parseAddress(value);
  if (address !== undefined) return address;
  throw new InvalidArgumentError('It is not an address: write host:port.');
}

function readTimeout(value: string): string {
  const ms = parseDuration(value);
  if (ms !== undefined && ms >= 100 && ms <= 60_000) return value;
  throw new InvalidArgumentError('It is not a duration from 100ms to 60s.');
}

function apiOption(): Option {
  return new Option('--api <url>', 'the API of a running switchmaster')
    .env('SWITCHMASTER_API')
    .default('http://127.0.0.1:8680')
    .argParser((value: string) => {
      const text = value.includes('://') ? value : `http://${value}`;
      if (/^https?:/.test(text) && URL.canParse(text)) return new URL(text).origin;
      throw new InvalidArgumentError('It is not an address: write http://host:port, or https://host:port.');
    });
}

/** Named as Consul names its own. */
function tlsOptions(): readonly Option[] {
  return [
    new Option('--ca-file <path>', "whom to trust where it is https; else the system's authorities").env(
      'SWITCHMASTER_CACERT',
    ),
    new Option('--client-cert <path>', 'where it wants a certificate').env('SWITCHMASTER_CLIENT_CERT'),
    new Option('--client-key <path>', 'its key').env('SWITCHMASTER_CLIENT_KEY'),
    new Option('--tls-server-name <name>', 'the name in its certificate, where --api has another').env(
      'SWITCHMASTER_TLS_SERVER_NAME',
    ),
  ];
}
