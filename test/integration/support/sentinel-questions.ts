import type { Address } from '../../../lib/model/address.ts';
import type { OtherEdition } from './editions.ts';

/** Commands that one connection sends, one after the other. */
export interface Question {
  readonly commands: readonly (readonly string[])[];
  /** The editions whose Sentinel answers so. Default: all. */
  readonly on?: readonly Edition[];
}

export type Edition = 'redis' | OtherEdition;

/** Text to words; `_` is an empty word and `'a b'` one word. */
function words(text: string): readonly string[] {
  const found = text.match(/'[^']*'|\S+/g) ?? [];
  return found.map((word) => (word === '_' ? '' : word.startsWith("'") ? word.slice(1, -1) : word));
}

function questions(texts: readonly string[], on?: readonly Edition[]): readonly Question[] {
  return texts.map((text) => ({
    commands: text.split(' ; ').map(words),
    ...(on === undefined ? {} : { on }),
  }));
}

const valkeys = ['valkey', 'valkey9'] as const;
const newer = ['redis8', ...valkeys] as const;
/** Valkey 9 has one more field in INFO, and an error for the id 0. */
const notValkey9 = ['redis', 'redis8', 'valkey'] as const;

/** A Sentinel and the endpoint answer with the same bytes. The master is `shard1`, and `none` is unknown. */
export function sameAnswers({ host, port }: Address): readonly Question[] {
  return [
    ...questions([
      ...['PING', 'PING a', 'PING a b', 'ROLE', 'ROLE x', 'TIME', 'INFO memory', 'INFO none'],
      ...['AUTH', 'AUTH x', 'AUTH default x', 'AUTH a b c', 'HELLO 4', 'HELLO x', 'HELLO 3 AUTH default'],
      ...["HELLO 3 SETNAME 'a b'", 'HELLO 3 FOO'],
      ...['CLIENT', 'CLIENT FOO', 'CLIENT ID x', 'CLIENT GETNAME', 'CLIENT SETNAME', "CLIENT SETNAME 'a b'"],
      ...['CLIENT SETNAME ab ; CLIENT GETNAME', 'CLIENT KILL', 'CLIENT KILL 1.2.3.4:5', 'CLIENT KILL ID 99999'],
      ...[
        'CLIENT KILL ID 0',
        'CLIENT KILL TYPE pubsub',
        'CLIENT KILL TYPE x',
        'CLIENT KILL ID 1 x',
        'CLIENT UNBLOCK 1',
      ],
      ...['CLIENT UNBLOCK x', 'CLIENT UNBLOCK 1 x', 'CLIENT LIST TYPE foo', 'CLIENT LIST TYPE master'],
      ...['CLIENT LIST FOO', 'CLIENT NO-EVICT ON', 'CLIENT NO-EVICT x', 'CLIENT NO-EVICT ON OFF', 'CLIENT HELP x'],
      ...['CLIENT REPLY ON', 'CLIENT REPLY x', 'CLIENT REPLY SKIP ; PING ; PING'],
      ...['CLIENT TRACKING', 'CLIENT TRACKING x', 'CLIENT TRACKING ON FOO', 'CLIENT TRACKING ON OPTIN OPTOUT'],
      ...['CLIENT TRACKING ON BCAST OPTIN', 'CLIENT TRACKING ON PREFIX a', 'CLIENT TRACKING ON REDIRECT 99999'],
      ...['CLIENT TRACKING ON ; CLIENT TRACKINGINFO', 'CLIENT TRACKING ON OPTIN NOLOOP ; CLIENT TRACKINGINFO'],
      ...[
        'CLIENT TRACKING ON BCAST ; CLIENT TRACKING OFF ; CLIENT TRACKINGINFO',
        'CLIENT TRACKING ON ; CLIENT GETREDIR',
      ],
      ...['CLIENT GETREDIR', 'CLIENT CACHING YES', 'CLIENT TRACKING ON OPTIN ; CLIENT CACHING YES'],
      ...['CLIENT TRACKING ON OPTIN ; CLIENT CACHING NO', 'CLIENT TRACKING ON OPTOUT ; CLIENT CACHING YES'],
      ...['CLIENT TRACKING ON OPTIN ; CLIENT CACHING x', 'CLIENT TRACKING ON ; CLIENT CACHING YES'],
      ...[
        'COMMAND FOO',
        'COMMAND INFO none',
        'COMMAND DOCS none',
        'COMMAND COUNT x',
        'COMMAND HELP x',
        'COMMAND LIST FOO',
      ],
      ...['COMMAND LIST FILTERBY FOO x', 'COMMAND LIST FILTERBY MODULE x', 'COMMAND GETKEYS', 'COMMAND GETKEYS GET a'],
      ...[
        'COMMAND GETKEYS x y z',
        'COMMAND GETKEYS PUBLISH x',
        'ACL',
        'ACL WHOAMI',
        'ACL WHOAMI x',
        'ACL FOO',
        'ACL HELP x',
      ],
      ...['SENTINEL', 'SENTINEL FOO', 'SENTINEL HELP x', 'SENTINEL MYID', 'SENTINEL MYID x', 'SENTINEL MASTERS x'],
      ...[
        'SENTINEL MASTER',
        'SENTINEL MASTER none',
        'SENTINEL MASTER a b',
        'SENTINEL REPLICAS',
        'SENTINEL REPLICAS none',
      ],
      ...['SENTINEL SLAVES', 'SENTINEL SLAVES none', 'SENTINEL SENTINELS', 'SENTINEL SENTINELS none'],
      ...['SENTINEL GET-MASTER-ADDR-BY-NAME', 'SENTINEL GET-MASTER-ADDR-BY-NAME shard1'],
      ...['SENTINEL get-master-addr-by-name SHARD1', 'SENTINEL GET-MASTER-ADDR-BY-NAME none'],
      ...[
        'SENTINEL GET-MASTER-ADDR-BY-NAME a b',
        'SENTINEL CKQUORUM',
        'SENTINEL CKQUORUM none',
        'SENTINEL CKQUORUM shard1',
      ],
      `SENTINEL IS-MASTER-DOWN-BY-ADDR ${host} ${port} 0 *`,
      ...['', ' 5', ' x 0 *', ' 5 x *', ' 5 0 *'].map((rest) => `SENTINEL IS-MASTER-DOWN-BY-ADDR 192.0.2.1${rest}`),
      ...['SENTINEL PENDING-SCRIPTS', 'SENTINEL PENDING-SCRIPTS x', 'SENTINEL INFO-CACHE', 'SENTINEL INFO-CACHE none'],
      ...['SENTINEL FAILOVER', 'SENTINEL FAILOVER none', 'SENTINEL MONITOR', 'SENTINEL REMOVE', 'SENTINEL REMOVE none'],
      ...[
        'SENTINEL SET',
        'SENTINEL SET none quorum 1',
        'SENTINEL RESET',
        'SENTINEL FLUSHCONFIG x',
        'SENTINEL SIMULATE-FAILURE',
      ],
      ...['SENTINEL CONFIG', 'SENTINEL CONFIG GET announce-*', 'SENTINEL CONFIG GET none'],
      ...[
        'SUBSCRIBE',
        'SUBSCRIBE a',
        'SUBSCRIBE a b',
        'SUBSCRIBE a a',
        'SUBSCRIBE a ; GET x',
        'SUBSCRIBE a ; SENTINEL MYID',
      ],
      ...['SUBSCRIBE a ; PING', 'SUBSCRIBE a ; PING x', 'SUBSCRIBE a ; UNSUBSCRIBE', 'PSUBSCRIBE *x', 'SSUBSCRIBE a'],
      ...[
        'SUBSCRIBE a b ; UNSUBSCRIBE a',
        'SUBSCRIBE a ; PSUBSCRIBE *x ; PUNSUBSCRIBE ; UNSUBSCRIBE',
        'PUBLISH a b',
        'PUBLISH a',
      ],
      ...['PUBSUB CHANNELS', 'CONFIG GET *', 'CONFIG', 'SLOWLOG GET', 'LATENCY LATEST', 'SELECT 0', 'GET a', 'SET a b'],
      ...[
        'READONLY',
        'CLUSTER SLOTS',
        'DBSIZE',
        'MULTI',
        'WAIT 0 0',
        'REPLICAOF NO ONE',
        'MODULE LIST',
        '_',
        "'foo bar'",
        'é',
      ],
    ]),
    // Redis 8.0.2 and Valkey 8.0.1 now and then send no error for a wrong password in a pipeline.
    ...questions(['AUTH a b', 'HELLO 3 AUTH a b'], ['redis']),
    ...questions(['UNSUBSCRIBE', 'UNSUBSCRIBE a', 'PUNSUBSCRIBE', 'PUNSUBSCRIBE a b'], ['redis', 'redis8']),
    ...questions(['INFO sentinel', 'CLIENT LIST ID 0'], notValkey9),
    ...questions(['CLIENT SETINFO lib-name x', 'CLIENT SETINFO foo 1', 'CLIENT SETINFO lib-name'], newer),
    ...questions(["CLIENT SETINFO lib-ver 'a b'"], newer),
    ...questions(['SENTINEL CONFIG GET', 'SENTINEL CONFIG GET *', 'SENTINEL CONFIG GET announce-* loglevel'], newer),
    ...questions(['SENTINEL CONFIG FOO x', 'SENTINEL CONFIG SET', 'SENTINEL CONFIG SET announce-ip'], newer),
    ...questions(['SENTINEL GET-PRIMARY-ADDR-BY-NAME shard1', 'SENTINEL GET-PRIMARY-ADDR-BY-NAME none'], valkeys),
    ...questions(['SENTINEL PRIMARY none', 'SENTINEL PRIMARIES x', 'SENTINEL PRIMARY'], valkeys),
    ...questions([`SENTINEL IS-PRIMARY-DOWN-BY-ADDR ${host} ${port} 0 *`], valkeys),
  ];
}

/** They answer with the same bytes but for the fields that change by the moment. */
export const sameFields: readonly Question[] = [
  ...questions(['HELLO', 'HELLO 2', 'HELLO 3', 'HELLO 3 AUTH default x SETNAME y']),
  ...questions(['COMMAND INFO subscribe publish none role', 'COMMAND LIST FILTERBY PATTERN sub*'], ['redis']),
  ...questions(['SENTINEL MASTERS', 'SENTINEL MASTER shard1', 'SENTINEL REPLICAS shard1', 'SENTINEL SLAVES shard1']),
  ...questions(['SENTINEL SENTINELS shard1', 'SENTINEL GET-MASTER-ADDR-BY-NAME shard1']),
  ...questions(['SENTINEL PRIMARIES', 'SENTINEL PRIMARY shard1'], valkeys),
];
