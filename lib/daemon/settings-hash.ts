import { createHash } from 'node:crypto';
import { Secret } from '../config/secret.ts';

/** SHA-256 of settings, secrets included. A reload rebuilds a part whose hash changed. */
export function settingsHash(settings: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(reveal(settings)) ?? '')
    .digest('base64');
}

function reveal(value: unknown): unknown {
  if (value instanceof Secret) return { secret: value.reveal() };
  if (Array.isArray(value)) return value.map(reveal);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, reveal(inner)]));
}
