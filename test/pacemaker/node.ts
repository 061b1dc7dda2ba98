import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { copyFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import type { ReaderMachine } from '../docs/guides/walk.ts';
import type { SharingHost } from '../pair/failure.ts';
import { bridge } from '../pair/network.ts';
import { type BootedRoot, boot } from '../sandbox/booted-root.ts';
import { type DebianRoot, makeDebianRoot } from '../sandbox/debian-root.ts';

const exec = promisify(execFile);
const packages = [
  ...[
    'corosync',
    'crmsh',
    'curl',
    'dbus',
    'haproxy',
    'init-system-helpers',
    'iproute2',
    'pacemaker',
    'polkitd',
    'procps',
  ],
  ...['resource-agents', 'systemd', 'systemd-sysv'],
];

interface NodeOrder {
  readonly name: string;
  readonly address: string;
  /** The package of switchmaster. */
  readonly deb: string;
}

/** A host of the cluster: a Debian 12 that systemd has booted, with the package of switchmaster, and a link to the bridge. */
export class ClusterNode implements SharingHost, ReaderMachine {
  readonly name: string;
  readonly #root: DebianRoot;
  readonly #debian: BootedRoot;

  private constructor(name: string, root: DebianRoot, debian: BootedRoot) {
    this.name = name;
    this.#root = root;
    this.#debian = debian;
  }

  static async open({ name, address, deb }: NodeOrder): Promise<ClusterNode> {
    const root = await makeDebianRoot({ suite: 'bookworm', packages });
    await writeFile(path.join(root.folder, 'etc/hostname'), `${name}\n`);
    await copyFile(deb, path.join(root.folder, 'root/switchmaster.deb'));
    const debian = await boot(root).catch(async (error: unknown) => {
      await root.close();
      throw error;
    });
    const node = new ClusterNode(name, root, debian);
    await exec('ip', `link add v-${name} type veth peer name eth0 netns ${debian.pid}`.split(' '));
    await exec('ip', `link set v-${name} up master ${bridge.name}`.split(' '));
    await node.must(
      `hostname ${name}; ip address add ${address}/24 dev eth0; ip link set lo up; ip link set eth0 up; ip route add default via ${bridge.address}`,
    );
    await node.must('dpkg -i /root/switchmaster.deb');
    return node;
  }

  async run(script: string): Promise<{ readonly code: number; readonly output: string }> {
    const { exitCode, text } = await this.#debian.run(`set -e\n${script}`);
    return { code: exitCode, output: text };
  }

  /** Runs a script, and resolves with its output. Throws if it fails. */
  async must(script: string): Promise<string> {
    const { code, output } = await this.run(script);
    if (code !== 0) throw new Error(`${this.name}: ${script}: exit code ${code}\n${output}`);
    return output;
  }

  write(file: string, content: string): void {
    const place = path.join(this.#root.folder, file);
    mkdirSync(path.dirname(place), { recursive: true });
    writeFileSync(place, content);
  }

  /** Copies a secret file to the same place of another node. */
  copy(file: string, to: ClusterNode): void {
    const content = readFileSync(path.join(this.#root.folder, file));
    writeFileSync(path.join(to.#root.folder, file), content, { mode: 0o400 });
  }

  listens(): boolean {
    return false;
  }

  has(address: string): boolean {
    try {
      return readFileSync(`/proc/${this.#debian.pid}/net/fib_trie`, 'utf8').includes(`-- ${address}\n`);
    } catch {
      return false;
    }
  }

  async link(state: 'up' | 'down'): Promise<void> {
    await exec('ip', ['link', 'set', `v-${this.name}`, state]);
  }

  /** A power cut. */
  async die(): Promise<void> {
    await this.#debian.close();
  }

  async close(): Promise<void> {
    await this.#debian.close();
    await this.#root.close();
  }
}
