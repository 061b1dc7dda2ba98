import type { HelperDefinition } from './helper.ts';
import { blockHelpers } from './helpers-blocks.ts';
import { collectionHelpers } from './helpers-collections.ts';
import { consulHelpers } from './helpers-consul.ts';
import { conversionHelpers } from './helpers-conversions.ts';
import { keyHelpers } from './helpers-keys.ts';
import { logicHelpers } from './helpers-logic.ts';
import { machineHelpers } from './helpers-machine.ts';
import { numberHelpers } from './helpers-numbers.ts';
import { redisHelpers } from './helpers-redis.ts';
import { scratchHelpers } from './helpers-scratch.ts';
import { textHelpers } from './helpers-text.ts';

/** Helpers that read Consul. */
export const readers: Readonly<Record<string, HelperDefinition>> = {
  ...consulHelpers,
  ...keyHelpers,
  ...redisHelpers,
};

/** Helpers that compute their result from their arguments, or read this machine. */
export const makers: Readonly<Record<string, HelperDefinition>> = {
  ...textHelpers,
  ...numberHelpers,
  ...logicHelpers,
  ...collectionHelpers,
  ...conversionHelpers,
  ...machineHelpers,
  ...scratchHelpers,
};

/** Every name that a template can call. docs/reference/templates.md lists them; a test compares. */
export const helpers: Readonly<Record<string, HelperDefinition>> = { ...blockHelpers, ...readers, ...makers };
