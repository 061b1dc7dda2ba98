import type { HealthCode } from './health.ts';

/**
 * What each code means and what to do about it, for people who read it on the live page. The operations guide has the same
 * table, with links (docs/guide/operations.md; a test compares). Code stands between backticks.
 */
export const healthGuide: Readonly<Record<HealthCode, { readonly meaning: string; readonly fix: string }>> = {
  'not-ready': {
    meaning: 'A part has not observed everything yet.',
    fix: 'Wait after a start. If it lasts, the text names the server or the file that is missing.',
  },
  'consul-unreachable': {
    meaning:
      'This node cannot read from Consul, so no failover reaches Consul through it: the agent refuses connections, has not answered for 4 s, or its servers have no leader. The text says since when.',
    fix: '`consul members`, `consul operator raft list-peers`; check the agent, the token and the network.',
  },
  'consul-denied': {
    meaning:
      'Consul hides something that the daemon reads from its token, or the token has lost a right that it had. The last answer counts: files stay as they are.',
    fix: 'Give the token the rule that the text names. `switchmaster acl` prints all of them.',
  },
  'right-missing': {
    meaning:
      'The token never had a right in Consul that a part of the work needs, as after an upgrade. The text names what does not happen without it. Everything else works.',
    fix: 'Give the token the rule that the text names. `switchmaster acl` prints all of them.',
  },
  'interfaces-unreadable': {
    meaning:
      "The operating system refuses to list this node's network interfaces. The registrar keeps the last state of instances that it finds by the addresses of this node or knows by a loopback address, and registers all others as usual.",
    fix: 'Under systemd: `RestrictAddressFamilies=` of the unit needs `AF_NETLINK`.',
  },
  'journal-unwritable': {
    meaning:
      'The file of the journal (`journal.file`) cannot be read, written, or renamed to `FILE.1` when it is above 16 MiB. Everything else works. What is not written waits in memory, at most 1,000 entries: a daemon that restarts loses them, and with them what `switchmaster why` shows.',
    fix: 'Correct what the text names: a full disk, a missing permission, a file system that is read-only. The daemon writes again every 5 s, and renames again with the next entry.',
  },
  'config-refused': {
    meaning:
      'The daemon runs with an earlier config, because it refused the one on disk. After a stop, it would not start with that one.',
    fix: '`switchmaster check` lists what is wrong; correct it, then `systemctl reload switchmaster`.',
  },
  'record-unreadable': {
    meaning:
      "A key below `redis/record/` does not hold the record of the master that it names. switchmaster follows all other masters as usual. Files keep the master's last address; a daemon that starts leaves the master out.",
    fix: '`consul kv get KEY`. Delete what you do not need (`consul kv delete KEY`); a bridge writes the record of a master again.',
  },
  'maintenance-unreadable': {
    meaning:
      'The value of a key of maintenance cannot be read. It counts as maintenance without an end for the masters that the key names.',
    fix: '`switchmaster maintenance off M` deletes the key, or `switchmaster maintenance on M` writes it again.',
  },
  maintenance: {
    meaning:
      'A note: somebody ordered maintenance. switchmaster follows what Sentinel or the cluster decides, and orders nothing about these masters.',
    fix: '`switchmaster maintenance off M` ends it, or without `M` that of all masters.',
  },
  'master-unrecorded': {
    meaning: 'Consul holds no record of the master.',
    fix: '`switchmaster why M` shows what the bridge waits for.',
  },
  'master-down': {
    meaning: 'A quorum of Sentinels calls the master down, and no other server has taken its place.',
    fix: '`SENTINEL CKQUORUM M` reports whether a failover is possible. Bring the master or a replica back.',
  },
  'master-crashed': {
    meaning:
      "The process of this master is gone, and this node's daemon has ordered no failover: the text has the reason. Sentinel or the cluster fails over by itself after `down-after-milliseconds` or `cluster-node-timeout`.",
    fix: 'Start it again, or order the failover: `SENTINEL FAILOVER M`, or `CLUSTER FAILOVER FORCE` at a replica.',
  },
  'master-suspected': {
    meaning: 'A Sentinel calls the master down, or a failover is under way.',
    fix: 'Wait: Sentinel decides. If it lasts, check what is between that Sentinel and the master.',
  },
  'master-held': {
    meaning: 'The bridge waits before it changes the record. While a failover settles this is a note.',
    fix: 'The text names what it waits for. The operations guide explains each text that begins with `held`.',
  },
  'master-failed': {
    meaning: 'The last run of the bridge for this master failed. The bridge tries again.',
    fix: 'The text has the error.',
  },
  'master-failing-over': {
    meaning: 'A note: Sentinel carries out a failover by order. No Sentinel calls the master down.',
    fix: 'Nothing: this passes when the new master is recorded.',
  },
  'master-settling': {
    meaning: 'A note: Sentinel has not confirmed the promotion yet.',
    fix: 'Nothing: this passes within 30 seconds.',
  },
  'promotion-unconfirmed': {
    meaning: 'Sentinel has not confirmed a promotion for 30 seconds.',
    fix: 'Read the log of the Sentinel that leads the failover: it names what the Sentinel waits for, usually a replica that does not come back.',
  },
  'second-master': {
    meaning:
      'A former master or a replica answers as a master beside the one of the record. Two servers take writes, and those at this one are lost. The text says why switchmaster does not end it. A warning for the first 3 s, while its writes are paused, and where no Sentinel lists the server. In the 30 s after a failover, a note for the first 3 s, while its writes are paused, and where switchmaster leaves it to Sentinel.',
    fix: 'Type the command of the hint: it makes the server a replica and discards its newer writes. To save them first, take a copy: `redis-cli -h HOST -p PORT --rdb FILE`.',
  },
  isolated: {
    meaning:
      "A master of this node has heard neither a majority of its Sentinels, nor Consul's leader, nor a replica in sync: it may be cut off while the others promote a replica. If it was replaced meanwhile, this lasts until it is a replica, 15 s at most; then `second-master` reports it. Its writes are paused, or the text has why they cannot be.",
    fix: 'Repair the network of this node. The writes resume when one of them answers, unless the master has been replaced.',
  },
  'record-unbacked': {
    meaning:
      'No majority of the Sentinels that answer agrees with the record. Writes may go to a server that will lose them.',
    fix: '`switchmaster status` shows each vote. If it lasts, make the Sentinels agree: `SENTINEL REMOVE` and `SENTINEL MONITOR` at those that are wrong.',
  },
  'loopback-published': {
    meaning:
      'Sentinels know the master or a replica by a loopback address, although they or other servers are on other machines. Clients there would connect to their own machine.',
    fix: '`SENTINEL REMOVE M`, then `SENTINEL MONITOR M` with the address that other machines use, at each Sentinel; set `replica-announce-ip`.',
  },
  'sentinels-lost': {
    meaning:
      'This node reaches no majority of the Sentinels. If they do not reach each other either, no failover is possible.',
    fix: 'Bring the Sentinels back.',
  },
  'sentinel-unreachable': {
    meaning: 'This node cannot reach one Sentinel.',
    fix: 'Is it up? Check address, password, TLS and firewall.',
  },
  'sentinel-tilt': {
    meaning:
      'A Sentinel is in TILT mode: its clock jumped, or the process stood still for 2 s. It finds no master down and leads no failover until 30 s have passed without that. Critical where the other Sentinels are fewer than the quorum.',
    fix: 'Wait: it ends by itself. If it comes back, find the clock that jumps (`switchmaster doctor` compares clocks), or what stops the machine: swap, a slow disk, a paused VM.',
  },
  'sentinel-differs': {
    meaning: 'One Sentinel names another master, or another epoch.',
    fix: 'Sentinels catch up within seconds. One that was reset during a failover may not: `SENTINEL REMOVE` and `SENTINEL MONITOR` there. A restart does not help.',
  },
  'sentinels-disagree': {
    meaning: 'Sentinels name another master than the record.',
    fix: 'During a failover: wait. Otherwise make them agree: `SENTINEL REMOVE` and `SENTINEL MONITOR` at those that are wrong.',
  },
  'sentinel-uncounted': {
    meaning:
      'A Sentinel of the config has not answered since the daemon started; the text has the reason, if it is known. At least two others monitor this master and do not list this Sentinel, so it does not count in their majority.',
    fix: 'Bring it back, or remove it from `sentinel.addresses`.',
  },
  'master-without-replica': {
    meaning: 'The record has no replica: no failover is possible.',
    fix: 'Add a replica.',
  },
  'replica-down': {
    meaning: 'Sentinels call a replica down.',
    fix: 'Start it. Remove one that is gone for good with `SENTINEL RESET M` at each Sentinel, one after the other.',
  },
  'replica-not-replicating': {
    meaning: 'A replica does not replicate from the master.',
    fix: '`switchmaster doctor`: usually `masterauth`, a firewall, or a resynchronization that is under way.',
  },
  'replica-lags': {
    meaning: 'A replica is more than 10 seconds behind.',
    fix: 'Check the load and the network of the replica, and `repl-backlog-size`.',
  },
  'redis-denied': {
    meaning:
      'A Redis refuses the bridge: its credentials, or every client (protected mode, `maxclients`). The bridge does not know its role and cannot fence it. Or a Redis or a Sentinel refuses a single command: the text names it and what is lost.',
    fix: 'Do what the text names: correct `sentinel.redis`, give its user the rules, set a password, or raise `maxclients`.',
  },
  'redis-unreached': {
    meaning: 'A Redis that Sentinel sees up cannot be reached by the bridge.',
    fix: 'Correct what the text names: TLS on one side only, a certificate, a name that does not resolve, a firewall.',
  },
  'foreign-instance': {
    meaning: 'Somebody else registered an instance with the tag of the master: DNS answers it too.',
    fix: '`consul services deregister -id ID` at the agent of that node.',
  },
  'foreign-check': {
    meaning:
      'Somebody else attached a check to the services of the master or to their node, and it is critical: DNS leaves them out. Templates follow the record.',
    fix: 'Have its owner end it, or remove it as the text says.',
  },
  'other-environment': {
    meaning:
      'Consul has the same master in another environment too, as after a change of `environment`. If no daemon has that environment any more, its keys and its names in DNS stay at this address, also after a failover.',
    fix: 'Change `environment` on the nodes that still have the former one, then `switchmaster forget M --environment ENVIRONMENT`.',
  },
  'desired-held': {
    meaning: 'The provisioner ignores or delays a master of `desired/`.',
    fix: 'The text has the reason; usually `sentinel.masters` does not match it.',
  },
  'desired-failed': {
    meaning: 'The provisioner could not configure the Sentinels as `desired/` says.',
    fix: 'Correct the key, or bring the Sentinel back that the text names.',
  },
  'cluster-unrecorded': {
    meaning: 'Consul holds no record of the cluster.',
    fix: 'The text names what is missing.',
  },
  'cluster-problem': {
    meaning: 'switchmaster cannot read the whole cluster, or waits before it changes the record.',
    fix: 'The text has the reason.',
  },
  'cluster-node-down': {
    meaning: 'Most of the nodes see this node of the cluster down, or it is loading its data.',
    fix: 'Start it, or wait until it has loaded. Remove one that is gone for good with `redis-cli --cluster del-node`.',
  },
  'cluster-failed': {
    meaning: 'The nodes report `cluster_state:fail`.',
    fix: '`redis-cli --cluster check HOST:PORT`.',
  },
  'cluster-slots-uncovered': {
    meaning: 'No master serves some of the slots: those keys fail.',
    fix: 'Bring the master back, or fail over to its replica: `CLUSTER FAILOVER`.',
  },
  'cluster-without-replica': {
    meaning: 'Some shards have no replica.',
    fix: 'Add replicas.',
  },
  'instance-unchecked': {
    meaning: 'switchmaster has not checked an instance of this node yet.',
    fix: 'Wait.',
  },
  'instance-warning': {
    meaning:
      'The check of an instance warns, or Consul refuses its registration. A note while a failover settles, if it warns about its role or its link.',
    fix: 'The text has what the check found, or what Consul refuses: `switchmaster acl` prints the rules.',
  },
  'instance-critical': {
    meaning: "The check of an instance fails: Consul's DNS leaves it out.",
    fix: 'The text has what the check found; see checks.',
  },
  'template-pending': {
    meaning: 'The renderer has not rendered a template yet, or Consul has not answered what it reads.',
    fix: 'The text names what is missing.',
  },
  'template-held': {
    meaning:
      'A guard holds a rendering: too many servers vanished at once, there are none, or switchmaster did not write the file that is there.',
    fix: 'Bring the servers back, or approve the text on the live page.',
  },
  'template-refused': {
    meaning: 'The renderer rolled a file back, and waits for another input.',
    fix: 'Correct the template, or what the check names, then render it again.',
  },
  'template-invalid': {
    meaning: 'The renderer cannot render a template. The file keeps its last content.',
    fix: 'Correct the template at the named line, then `systemctl reload switchmaster`.',
  },
  'template-warning': {
    meaning: 'The file is current, but leaves something out, or an additional step (owner, copy) failed.',
    fix: 'The text names what to set.',
  },
  'template-failed': {
    meaning: 'A step failed: the file or its consumer may be old. The renderer tries again.',
    fix: 'The text has the error.',
  },
};
