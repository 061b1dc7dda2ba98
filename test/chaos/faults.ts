import { edits } from './faults/edits.ts';
import type { Fault } from './faults/fault.ts';
import { processFaults } from './faults/processes.ts';
import { redisFaults } from './faults/redis.ts';
import { sentinelFaults } from './faults/sentinels.ts';

/** Everything that a round may draw. */
export const faults: readonly Fault[] = [...redisFaults, ...sentinelFaults, ...processFaults, ...edits];
