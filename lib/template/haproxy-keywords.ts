/**
 * How HAProxy reads an argument.
 *
 * - `text`: as it is.
 * - `address`: as it is, except that `$NAME` and `${NAME}` are replaced from the environment, also within quotes.
 * - `format`: a log format. `%` begins a variable or an expression, which may read the environment (`%[env(HOME)]`).
 * - `replacement`: a log format whose result is a replacement. There, a backslash refers to a group.
 * - `expression`: a sample expression, such as `env(HOME),lower`.
 * - `unknown`: an argument of a keyword that is not in the tables of this file.
 */
export type HaproxyArgument = 'text' | 'address' | 'format' | 'replacement' | 'expression' | 'unknown';

/** The arguments of a keyword: the first ones by their place, the others after a name. */
export interface Signature {
  readonly first?: readonly HaproxyArgument[];
  readonly named?: Readonly<Record<string, readonly HaproxyArgument[]>>;
  /** `named`: `-m METHOD` may precede an argument. */
  readonly methods?: 'named';
}

const text = { first: ['text'] } as const;
const format = { first: ['format'] } as const;
const expression = { first: ['expression'] } as const;
/** Where HAProxy calls str2sa_range(). */
const address = { first: ['address'] } as const;
const namedAddress = { first: ['text', 'address'] } as const;
const replaced = { first: ['text', 'replacement'] } as const;

const redirect: Signature = {
  named: {
    location: ['format'],
    prefix: ['format'],
    scheme: ['format'],
    'set-cookie-fmt': ['format'],
    code: ['text'],
    cookie: ['text'],
    'set-cookie': ['text'],
    'clear-cookie': ['text'],
  },
};
const answer: Signature = {
  named: {
    'lf-string': ['format'],
    hdr: ['text', 'format'],
    string: ['text'],
    file: ['text'],
    'lf-file': ['text'],
    errorfile: ['text'],
    errorfiles: ['text'],
    'content-type': ['text'],
    status: ['text'],
    deny_status: ['text'],
  },
};
const expectation: Signature = {
  methods: 'named',
  named: {
    'status-code': ['expression'],
    'ok-status': ['text'],
    'error-status': ['text'],
    'tout-status': ['text'],
    'min-recv': ['text'],
    'on-success': ['format'],
    'on-error': ['format'],
    'string-lf': ['format'],
    'binary-lf': ['format'],
    'name-lf': ['format'],
    'value-lf': ['format'],
    name: ['text'],
    value: ['text'],
    string: ['text'],
    rstring: ['text'],
    binary: ['text'],
    rbinary: ['text'],
    status: ['text'],
    rstatus: ['text'],
    comment: ['text'],
  },
};

const connection: Signature = {
  named: {
    addr: ['address'],
    port: ['expression'],
    sni: ['text'],
    alpn: ['text'],
    proto: ['text'],
    comment: ['text'],
  },
};

const variables = { 'set-var': expression, 'set-var-fmt': format, 'unset-var': text } as const;

/** Rules on requests and answers. */
const actions: Readonly<Record<string, Signature>> = {
  ...variables,
  ...Object.fromEntries(
    'accept allow attach-srv auth cache-store cache-use close del-header disable-l7-retry do-log expect-netscaler-cip expect-proxy inspect-delay lua.* normalize-uri reject send-spoe-group set-log-level set-nice silent-drop strict-mode switch-mode use-service wait-for-body wait-for-handshake sc-inc-gpc sc-add-gpc'
      .split(' ')
      .map((name) => [name, {}]),
  ),
  ...Object.fromEntries(
    'capture do-resolve pause sc-set-gpt set-bc-mark set-bc-tos set-dst set-dst-port set-fc-mark set-fc-tos set-mark set-priority-class set-priority-offset set-src set-src-port set-tos track-sc'
      .split(' ')
      .map((name) => [name, expression]),
  ),
  ...Object.fromEntries(
    'add-acl del-acl del-map set-method set-path set-pathq set-query set-uri'.split(' ').map((name) => [name, format]),
  ),
  ...Object.fromEntries(
    'add-header early-hint set-header'.split(' ').map((name) => [name, { first: ['text', 'format'] } as const]),
  ),
  'set-map': { first: ['format', 'format'] },
  'replace-path': replaced,
  'replace-pathq': replaced,
  'replace-uri': replaced,
  'replace-header': { first: ['text', ...replaced.first] },
  'replace-value': { first: ['text', ...replaced.first] },
  'set-bandwidth-limit': { first: ['text'], named: { limit: ['expression'], period: ['expression'] } },
  'set-status': { first: ['text'], named: { reason: ['text'] } },
  'set-timeout': { first: ['text', 'expression'] },
  redirect,
  return: answer,
  deny: answer,
  tarpit: answer,
};

/** The actions of the keywords that have some. */
export const ruleSets: Readonly<Record<string, Readonly<Record<string, Signature>>>> = {
  ...Object.fromEntries(
    'http-request http-response http-after-response tcp-request tcp-response quic-initial'
      .split(' ')
      .map((keyword) => [keyword, actions]),
  ),
  'http-check': {
    ...variables,
    comment: text,
    connect: connection,
    'disable-on-404': {},
    'send-state': {},
    expect: expectation,
    send: {
      named: {
        'uri-lf': ['format'],
        'body-lf': ['format'],
        hdr: ['text', 'format'],
        uri: ['text'],
        body: ['text'],
        meth: ['text'],
        ver: ['text'],
        comment: ['text'],
      },
    },
  },
  'tcp-check': {
    ...variables,
    comment: text,
    connect: connection,
    expect: expectation,
    send: text,
    'send-lf': format,
    'send-binary': text,
    'send-binary-lf': format,
  },
};

/** Keywords that are followed by the moment (`content`), and then by the action. */
export const afterMoment = new Set(['tcp-request', 'tcp-response']);

const serverSettings: Signature['named'] = {
  ...Object.fromEntries(
    `agent-addr agent-inter agent-port agent-send alpn ca-file check-alpn check-proto check-sni ciphers ciphersuites
    client-sigalgs cookie crl-file crt curves downinter error-limit fall fastinter guid hash-key id init-addr init-state inter
    log-bufsize log-proto max-reuse maxconn maxqueue minconn namespace npn observe on-error on-marked-down on-marked-up
    pool-low-conn pool-max-conn pool-purge-delay port proto proxy-v2-options redir resolve-net resolve-opts resolve-prefer
    resolvers rise shard sigalgs slowstart ssl-max-ver ssl-min-ver tcp-ut track verify verifyhost weight ws`
      .split(/\s+/)
      .map((name) => [name, ['text']] as const),
  ),
  sni: ['expression'],
  'pool-conn-name': ['expression'],
  'set-proxy-v2-tlv-fmt': ['format'],
  addr: ['address'],
  source: ['address'],
  usesrc: ['address'],
  socks4: ['address'],
};
const sticky: Signature = { first: ['text', 'expression'] };

export const lineSignatures: Readonly<Record<string, Signature>> = {
  'log-format': format,
  'log-format-sd': format,
  'error-log-format': format,
  'unique-id-format': format,
  use_backend: format,
  'use-server': format,
  'set-var': { first: ['text', 'expression'] },
  'set-var-fmt': { first: ['text', 'format'] },
  'set-param': { first: ['text', 'format'] },
  on: { first: ['text'], named: { format: ['format'], sd: ['format'] } },
  'http-error': answer,
  redirect,
  acl: sticky,
  stick: sticky,
  // Headers may follow the version, and HAProxy evaluates their values, and a host.
  option: { named: { httpchk: ['text', 'text', 'unknown', 'unknown'] } },
  balance: { named: { hash: ['expression'] } },
  filter: { first: ['text', 'text'], named: { key: ['expression'] } },
  server: { ...namedAddress, named: serverSettings },
  'default-server': { named: serverSettings },
  'server-template': { first: ['text', 'text', 'address'], named: serverSettings },
  bind: address,
  'dgram-bind': address,
  dispatch: address,
  log: address,
  source: { ...address, named: { usesrc: ['address'] } },
  peer: namedAddress,
  nameserver: namedAddress,
  mailer: namedAddress,
  stats: { named: { socket: ['address'] } },
};

/** Keywords whose arguments are text. Sections and the lines that a value of Consul or of a file usually stands in. */
export const plainKeywords = new Set(
  `global defaults frontend backend listen peers mailers userlist resolvers program cache fcgi-app http-errors ring
  log-forward log-profile traces crt-store acme bind capture chroot compression cookie crt-base ca-base daemon declare
  default-path default_backend description disabled dispatch email-alert enabled errorfile errorfiles errorloc errorloc302
  errorloc303 external-check force-persist fullconn gid group guid hard-stop-after hash-balance-factor hash-type
  hold http-reuse http-send-name-header id ignore-persist insecure-fork-wanted load-server-state-from-file localpeer log
  log-send-hostname log-steps log-tag lua-load lua-load-per-thread lua-prepend-path mailer max-keep-alive-queue maxconn
  maxsslconn mode monitor monitor-uri nameserver nbthread node option parse-resolv-conf peer persist pidfile presetenv
  rate-limit resetenv retries retry-on server-state-base server-state-file setenv source ssl-default-bind-ciphers
  ssl-default-bind-options ssl-default-server-ciphers ssl-default-server-options stats stick-table table timeout uid
  unique-id-header ulimit-n unsetenv user docroot index log-stderr pass-header path-info command load`.split(/\s+/),
);
