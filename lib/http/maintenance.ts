import { hostname } from 'node:os';
import * as z from 'zod';
import type { Api } from './api.ts';
import { maintenanceAnswer, maintenanceOrderAnswer } from './maintenance-shapes.ts';
import { durationParameter, nameParameter } from './parameters.ts';
import type { MaintenanceControls, MaintenanceView } from './views.ts';

/** A week is long for maintenance. For more, an operator leaves the end out. */
const longestMs = 30 * 86_400_000;

const line = z
  .string()
  .min(1)
  .max(500)
  .regex(/^\P{Cc}*$/u, 'must have no control characters');

const body = z
  .strictObject({
    state: z.enum(['on', 'off']),
    master: nameParameter.optional(),
    for: durationParameter({ minMs: 1_000, maxMs: longestMs }).optional(),
    reason: line.optional(),
    by: line.optional(),
    dryRun: z.boolean().optional(),
  })
  .refine(({ state, reason, ...rest }) => state === 'on' || (rest.for === undefined && reason === undefined), {
    message: '"for" and "reason" are for the state on',
  })
  .meta({
    description:
      'Begins or ends maintenance of one master, or without `master` of all. `for` limits it (default: until somebody ends ' +
      'it); `by` is who orders it (default: the name of this node). dryRun only answers what would change.',
  });

export function addMaintenanceRoutes(
  server: Api,
  views: { readonly maintenance: MaintenanceView; readonly maintenanceControls: MaintenanceControls },
): void {
  const read = { summary: 'Read which masters are in maintenance', response: { 200: maintenanceAnswer } };
  server.get('/v1/maintenance', { schema: read }, async () => ({ maintenance: views.maintenance.list() }));
  const order = { summary: 'Begin or end maintenance', body, response: { 200: maintenanceOrderAnswer } };
  server.post('/v1/maintenance', { schema: order }, async (request) => {
    const { state, master = null, for: forMs, reason, by = hostname(), dryRun = false } = request.body;
    const result = await views.maintenanceControls.order({
      state,
      scope: master,
      by,
      dryRun,
      ...(reason === undefined ? {} : { reason }),
      ...(forMs === undefined ? {} : { forMs }),
    });
    return { ...result, dryRun, maintenance: views.maintenance.list() };
  });
}
