import { type Command, InvalidArgumentError, Option } from 'commander';
import { defaultApiAddress } from '../lib/config/defaults.ts';
import { type Address, formatAddress, parseAddress } from '../lib/model/address.ts';
import { parseDuration } from '../lib/model/duration.ts';

/** `--config`, which may be repeated: files and folders, merged in this order. */
export function configOption(): Option {
  return new Option('-c, --config <path>', 'a config file, or a folder of *.yml, *.yaml and *.json; may be repeated')
    .argParser((value: string, before: readonly string[] | undefined) => [...(before ?? []), value])
    .default([], '/etc/switchmaster; without it, a Sentinel and a Consul on this machine');
}

/** `--config` of a command that needs of it only where the API is. */
function nodeConfigOption(): Option {
  const option = configOption();
  option.defaultValueDescription = '/etc/switchmaster';
  return option;
}

/** How long `run` waits for the files of its config; its value is in milliseconds. */
export function waitOption(): Option {
  return new Option('--wait <duration>', 'how long to wait for files of the config that cannot be read yet')
    .argParser((value: string) => {
      const ms = parseDuration(value);
      if (ms === undefined) throw new InvalidArgumentError('Write a duration, such as 30s.');
      return ms;
    })
    .default(30_000, '30s');
}

export function jsonOption(): Option {
  return new Option('--json', 'print JSON');
}

/** Every command that takes --json takes it too. */
export function outputOption(): Option {
  return new Option('-o, --output <format>', 'json, yaml, or table: text for people').choices([
    'json',
    'yaml',
    'table',
  ]);
}

/** The address of a running switchmaster's API, and the certificates for it. */
export interface ApiOptions {
  /** Scheme, host and port. */
  readonly api: string;
  readonly caFile?: string;
  readonly clientCert?: string;
  readonly clientKey?: string;
  readonly tlsServerName?: string;
}

/** Options of every command that reads from a running switchmaster. */
export interface AskOptions extends ApiOptions {
  readonly json?: true;
}

/** Options of every command that changes something there. */
export interface OrderOptions extends AskOptions {
  readonly tokenFile?: string;
  readonly yes?: true;
}

/** Options of every command that fails a master over. */
export interface FailoverOptions extends OrderOptions {
  readonly replica?: string;
  /** A duration. Default: the daemon's limits. */
  readonly timeout?: string;
}

export function addAskOptions(command: Command): Command {
  const hasConfig = command.options.some((option) => option.attributeName() === 'config');
  const where = [...(hasConfig ? [] : [nodeConfigOption()]), apiOption(), ...tlsOptions()].map((option) =>
    option.helpGroup('Where the API is:'),
  );
  const options = [jsonOption(), ...where];
  return options.reduce((to, option) => to.addOption(option), command);
}

/** Adds the master's name as an argument too. */
export function addOrderOptions(command: Command): Command {
  command
    .argument('<master>', "a master's name")
    .option('-y, --yes', 'act without asking')
    .option('--token-file <path>', 'a file with the API token; default: SWITCHMASTER_API_TOKEN, else api.tokenFile');
  return addAskOptions(command);
}

export function addFailoverOptions(command: Command): Command {
  command
    .option('--replica <host:port>', 'the replica to promote; default: Sentinel chooses', (value) =>
      formatAddress(readAddress(value)),
    )
    .option(
      '--timeout <duration>',
      'how long it may wait until it can begin (default: 60s), and the limit for each stage (default: 10s, at most 60s)',
      readTimeout,
    );
  return addOrderOptions(command);
}

export function readAddress(value: string): Address {
  const address = parseAddress(value);
  if (address !== undefined) return address;
  throw new InvalidArgumentError('It is not an address. Write host:port.');
}

function readTimeout(value: string): string {
  const ms = parseDuration(value);
  if (ms !== undefined && ms >= 100 && ms <= 600_000) return value;
  throw new InvalidArgumentError('It is not a duration from 100ms to 10m.');
}

function apiOption(): Option {
  return new Option('--api <url>', 'the API of a running switchmaster')
    .env('SWITCHMASTER_API')
    .default(`http://${formatAddress(defaultApiAddress)}`)
    .argParser((value: string) => {
      const text = value.includes('://') ? value : `http://${value}`;
      if (/^https?:/.test(text) && URL.canParse(text)) return new URL(text).origin;
      throw new InvalidArgumentError('It is not an address. Write http://host:port or https://host:port.');
    });
}

/** Named like the options of `consul`. */
function tlsOptions(): readonly Option[] {
  return [
    new Option('--ca-file <path>', "certificate authority for https; default: the system's authorities").env(
      'SWITCHMASTER_CACERT',
    ),
    new Option('--client-cert <path>', 'client certificate for https').env('SWITCHMASTER_CLIENT_CERT'),
    new Option('--client-key <path>', 'private key of the client certificate').env('SWITCHMASTER_CLIENT_KEY'),
    new Option('--tls-server-name <name>', 'the name in the certificate, if --api has another').env(
      'SWITCHMASTER_TLS_SERVER_NAME',
    ),
  ];
}
