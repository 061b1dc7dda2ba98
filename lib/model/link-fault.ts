/* Why a server cannot be used although something is at its address, or why nothing is: named causes, each with its fix. */

interface FaultRow {
  /** A predicate about the server. */
  readonly says: string;
  /** What an operator can do. */
  readonly hint: string;
  /**
   * `refused`: the server answers and refuses the request. `settings`: server and config do not fit, other clients may be
   * served well. `away`: no client can use the server from here.
   */
  readonly class: 'refused' | 'settings' | 'away';
}

export const linkFaults = {
  'protected-mode': {
    says: 'is in protected mode and refuses clients of other hosts',
    hint: 'set a password at the server (requirepass or an ACL user), or protected-mode no if a firewall protects it',
    class: 'refused',
  },
  'clients-limit': {
    says: 'has reached maxclients and refuses new connections',
    hint: 'raise maxclients and the limit of open files of the server, or find who keeps connections open with CLIENT LIST',
    class: 'refused',
  },
  'password-missing': { says: 'requires a password', hint: 'set passwordFile (and username)', class: 'refused' },
  'password-wrong': {
    says: 'refuses the password',
    hint: 'set passwordFile (and username) to what the server accepts',
    class: 'refused',
  },
  'command-denied': {
    says: 'refuses the command to this user',
    hint: 'give the user the rules of docs/reference/redis-acl.md',
    class: 'refused',
  },
  loading: { says: 'is loading its data set', hint: 'wait until it has loaded', class: 'refused' },
  'master-down': {
    says: 'has no link to its master and refuses stale reads (replica-serve-stale-data no)',
    hint: 'restore its link: masterauth, the network',
    class: 'refused',
  },
  busy: { says: 'is busy with a script', hint: 'run SCRIPT KILL or FUNCTION KILL at the server', class: 'refused' },
  'tls-expected': {
    says: 'speaks TLS on this port',
    hint: 'set tls (for Consul: an https:// address), and tls.caFile if the CA is your own',
    class: 'settings',
  },
  'tls-unexpected': {
    says: 'does not speak TLS on this port',
    hint: 'remove tls from the config, or name the port that speaks TLS',
    class: 'settings',
  },
  'tls-version': {
    says: 'shares no TLS version or cipher with switchmaster',
    hint: 'allow TLS 1.2 or 1.3 at the server (tls-protocols, tls-ciphers)',
    class: 'settings',
  },
  'certificate-expired': {
    says: 'has a certificate that has expired or is not valid yet',
    hint: 'renew its certificate, and compare the clocks',
    class: 'settings',
  },
  'certificate-name': {
    says: 'has a certificate for another name',
    hint: 'set tls.serverName to a name in its certificate, or give it a certificate for this address',
    class: 'settings',
  },
  'certificate-unknown': {
    says: 'has a certificate of an unknown CA',
    hint: 'set tls.caFile to the CA that signed it',
    class: 'settings',
  },
  'client-certificate-missing': {
    says: 'requires a client certificate',
    hint: 'set tls.certFile and tls.keyFile, or tls-auth-clients no at the server',
    class: 'settings',
  },
  'client-certificate-refused': {
    says: 'refuses the client certificate',
    hint: 'renew tls.certFile, signed by a CA that the server trusts',
    class: 'settings',
  },
  'other-protocol': {
    says: 'speaks another protocol',
    hint: 'correct the port',
    class: 'away',
  },
  'not-sentinel': {
    says: 'is a Redis, not a Sentinel',
    hint: 'name the port of a Sentinel, by default 26379',
    class: 'away',
  },
  'not-redis': {
    says: 'is a Sentinel, not a Redis',
    hint: 'name the port of a Redis, by default 6379',
    class: 'away',
  },
  'not-cluster': {
    says: 'is not a node of a cluster',
    hint: 'set cluster-enabled yes at the server, or name a node of a cluster',
    class: 'away',
  },
  'name-unknown': {
    says: 'has a name that does not resolve',
    hint: 'correct the name or the DNS of this machine',
    class: 'away',
  },
  'no-route': {
    says: 'cannot be reached from this network',
    hint: 'check the address, the routes and the firewall',
    class: 'away',
  },
  silent: {
    says: 'does not answer in time',
    hint: 'check the firewall, and whether the process hangs',
    class: 'away',
  },
  closed: { says: 'closes the connection without an answer', hint: 'read its log', class: 'away' },
  'socket-missing': { says: 'has no socket at this path', hint: 'start it, or correct the path', class: 'away' },
  'socket-stale': {
    says: 'left a socket file on which nobody listens',
    hint: 'start it, and read its log if it does not stay up',
    class: 'away',
  },
  'socket-denied': {
    says: 'does not let the user of switchmaster connect to its socket',
    hint: 'give the user write access to the socket, and search access to its folders',
    class: 'settings',
  },
  'not-listening': { says: 'refuses connections', hint: 'start it, or correct its address or bind', class: 'away' },
} as const satisfies Readonly<Record<string, FaultRow>>;

export type LinkFault = keyof typeof linkFaults;

/** Whether the cause is known by more than a missing answer, so that it lasts until somebody changes something. */
export function isNamed(fault: LinkFault): boolean {
  return !passing.has(fault);
}

/** Every failover and restart causes these for a moment. */
const passing: ReadonlySet<LinkFault> = new Set(['silent', 'closed', 'not-listening', 'no-route', 'loading', 'busy']);

/** `is in protected mode …; set a password there …`. The server's own answer follows the cause in brackets. */
export function explainFault(fault: LinkFault, answer?: string): string {
  const { says, hint } = linkFaults[fault];
  return answer === undefined ? `${says}; ${hint}` : `${says} (${answer}); ${hint}`;
}
