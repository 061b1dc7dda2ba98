import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import type { ProvisioningNote } from '../model/provisioning.ts';

/*
 * Sentinels do not return the passwords that they were given. The provisioner must write a changed one, but must not
 * write the same one again, because each SENTINEL SET of it closes the Sentinel's connections. So the note in Consul
 * holds a hash of the last written settings. The hash is salted and slow to compute, because whoever reads the note may
 * try to guess a password.
 */

type Settings = Readonly<Record<string, string>>;

/**
 * - `none`: there are no hidden settings
 * - `written`: the note has the hash of these settings
 * - `outdated`: the note has the hash of others, or none
 * - `superseded`: the note has the hash of others, and this process has seen these written before. Another process has
 *   newer ones. The process that started last with new settings wins; otherwise two would overwrite each other for ever.
 */
export type HiddenSettingsState = 'none' | 'written' | 'outdated' | 'superseded';

interface Question {
  readonly settings: Settings;
  readonly note: ProvisioningNote | undefined;
}

/** Compares the settings that Sentinels do not return with those that a provisioner wrote last. */
export class HiddenSettingsMemory {
  /** By name: the settings that were once the written ones, as this process saw them. */
  readonly #written = new Map<string, string>();
  /** By name: the last comparison, because one takes about 50 ms. */
  readonly #compared = new Map<string, { readonly question: string; readonly same: boolean }>();

  async compare(name: string, { settings, note }: Question): Promise<HiddenSettingsState> {
    if (Object.keys(settings).length === 0) return 'none';
    const text = canonical(settings);
    const settingsHash = note?.settingsHash;
    if (settingsHash !== undefined && (await this.#matches(name, { text, settingsHash }))) {
      this.#written.set(name, text);
      return 'written';
    }
    // A note without a hash was lost, or comes from a version that wrote none.
    return settingsHash !== undefined && this.#written.get(name) === text ? 'superseded' : 'outdated';
  }

  /** Remembers the settings as written, and returns their hash. */
  async hashWritten(name: string, { settings, note }: Question): Promise<string> {
    const text = canonical(settings);
    this.#written.set(name, text);
    const settingsHash = note?.settingsHash;
    if (settingsHash !== undefined && (await this.#matches(name, { text, settingsHash }))) return settingsHash;
    const salt = randomBytes(16);
    return `scrypt:${salt.toString('base64')}:${(await digest(text, salt)).toString('base64')}`;
  }

  async #matches(name: string, compared: { readonly text: string; readonly settingsHash: string }): Promise<boolean> {
    const { text, settingsHash } = compared;
    const question = `${settingsHash} ${text}`;
    const before = this.#compared.get(name);
    if (before?.question === question) return before.same;
    const same = await isHashOf(text, settingsHash);
    this.#compared.set(name, { question, same });
    return same;
  }
}

const digestBytes = 32;

async function isHashOf(text: string, settingsHash: string): Promise<boolean> {
  const [kind, salt = '', hash = ''] = settingsHash.split(':');
  const expected = Buffer.from(hash, 'base64');
  if (kind !== 'scrypt' || expected.length !== digestBytes) return false;
  return timingSafeEqual(await digest(text, Buffer.from(salt, 'base64')), expected);
}

/** Asynchronous, so that a failover never waits for it. */
function digest(text: string, salt: Buffer): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  scrypt(text, salt, digestBytes, (error, key) => (error === null ? resolve(key) : reject(error)));
  return promise;
}

function canonical(settings: Settings): string {
  return JSON.stringify(Object.entries(settings).sort(([a], [b]) => (a < b ? -1 : 1)));
}
