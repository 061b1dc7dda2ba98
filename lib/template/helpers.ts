import type { HelperDefinition } from './helper.ts';
import { blockHelpers } from './helpers-blocks.ts';
import { consulHelpers } from './helpers-consul.ts';
import { redisHelpers } from './helpers-redis.ts';
import { textHelpers } from './helpers-text.ts';
import { valueHelpers } from './helpers-values.ts';

/** Every name that a template can call. docs/reference/templates.md lists them; a test compares. */
export const helpers: Readonly<Record<string, HelperDefinition>> = {
  ...blockHelpers,
  ...consulHelpers,
  ...redisHelpers,
  ...textHelpers,
  ...valueHelpers,
};
