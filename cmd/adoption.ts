import type { Config } from '../lib/config/model.ts';

/** The config with `adopt: true` for every template. */
export function adoptFiles(config: Config): Config {
  return { ...config, templates: config.templates.map((template) => ({ ...template, takeover: 'adopt' })) };
}
