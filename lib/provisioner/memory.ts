import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import type { ProvisioningNote } from '../model/provisioning.ts';

/*
 * Sentinels do not tell the passwords that they were given. So that a changed one is taught, and an unchanged one is
 * not taught again (each SENTINEL SET of it drops the Sentinel's connections), the note in Consul holds a fingerprint of
 * what was taught last: salted and slow to compute, for whoever reads it may try to guess.
 */

type Settings = Readonly<Record<string, string>>;

/**
 * - `none`: there is nothing that Sentinels do not tell
 * - `taught`: the note is about these settings
 * - `untaught`: it is about others, or about none
 * - `overruled`: it is about others, and these were taught before: another process has newer ones, and two that teach in
 *   turns would never end. The last to start with new ones wins.
 */
export type UntoldStanding = 'none' | 'taught' | 'untaught' | 'overruled';

interface Question {
  readonly settings: Settings;
  readonly note: ProvisioningNote | undefined;
}

/** What this process knows of settings that Sentinels do not tell. */
export class UntoldMemory {
  /** By name: the settings that this process found or made to be the taught ones. */
  readonly #had = new Map<string, string>();
  /** By name: the last comparison, which takes a twentieth of a second. */
  readonly #compared = new Map<string, { readonly question: string; readonly same: boolean }>();

  async standing(name: string, { settings, note }: Question): Promise<UntoldStanding> {
    if (Object.keys(settings).length === 0) return 'none';
    const text = canonical(settings);
    const fingerprint = note?.untold;
    if (fingerprint !== undefined && (await this.#same(name, { text, fingerprint }))) {
      this.#had.set(name, text);
      return 'taught';
    }
    // A note without a fingerprint was lost, or written before there were any.
    return fingerprint !== undefined && this.#had.get(name) === text ? 'overruled' : 'untaught';
  }

  /** Remembers that these were taught, and answers their fingerprint. */
  async taught(name: string, { settings, note }: Question): Promise<string> {
    const text = canonical(settings);
    this.#had.set(name, text);
    const fingerprint = note?.untold;
    if (fingerprint !== undefined && (await this.#same(name, { text, fingerprint }))) return fingerprint;
    const salt = randomBytes(16);
    return `scrypt:${salt.toString('base64')}:${(await digest(text, salt)).toString('base64')}`;
  }

  async #same(name: string, compared: { readonly text: string; readonly fingerprint: string }): Promise<boolean> {
    const { text, fingerprint } = compared;
    const question = `${fingerprint} ${text}`;
    const before = this.#compared.get(name);
    if (before?.question === question) return before.same;
    const same = await matches(text, fingerprint);
    this.#compared.set(name, { question, same });
    return same;
  }
}

const digestBytes = 32;

async function matches(text: string, fingerprint: string): Promise<boolean> {
  const [kind, salt = '', hash = ''] = fingerprint.split(':');
  const expected = Buffer.from(hash, 'base64');
  if (kind !== 'scrypt' || expected.length !== digestBytes) return false;
  return timingSafeEqual(await digest(text, Buffer.from(salt, 'base64')), expected);
}

/** Off the event loop: a failover must not wait for it. */
function digest(text: string, salt: Buffer): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  scrypt(text, salt, digestBytes, (error, key) => (error === null ? resolve(key) : reject(error)));
  return promise;
}

function canonical(settings: Settings): string {
  return JSON.stringify(Object.entries(settings).sort(([a], [b]) => (a < b ? -1 : 1)));
}
