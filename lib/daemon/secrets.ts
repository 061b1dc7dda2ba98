import { Secret } from '../config/secret.ts';

/** Every secret in `settings`, revealed, for redaction. */
export function secretsOf(settings: unknown): readonly string[] {
  if (settings instanceof Secret) return [settings.reveal()];
  if (Array.isArray(settings)) return settings.flatMap(secretsOf);
  return typeof settings === 'object' && settings !== null ? Object.values(settings).flatMap(secretsOf) : [];
}
