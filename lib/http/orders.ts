import * as z from 'zod';
import type { Api } from './api.ts';
import { abortedWith, failoverLimits, limitsOf } from './failover-limits.ts';
import { plannedAnswer, plannedPreview } from './failover-shapes.ts';
import { addressParameter, nameInPathParameter } from './parameters.ts';
import { rebasedAnswer } from './shapes.ts';
import type { MasterControls } from './views.ts';

const params = z.object({ name: nameInPathParameter });
const failoverBody = z
  .strictObject({
    replica: addressParameter.optional(),
    ...failoverLimits,
  })
  .nullish()
  .meta({
    description:
      'The replica to promote (Sentinel chooses by default), and how long it may wait until it can begin (default 60s) and ' +
      'take for each stage (default 10s, at most 60s). dryRun only answers what would happen.',
  });

/** Orders of an operator for a master. The answer comes when all is done, and is the report; each step is an event. */
export function addOrderRoutes(server: Api, { masterControls }: { readonly masterControls: MasterControls }): void {
  const failover = {
    summary: 'Fail over without losing an acknowledged write',
    params,
    body: failoverBody,
    response: { 200: z.union([plannedAnswer, plannedPreview]) },
  };
  server.post('/v1/masters/:name/failover', { schema: failover }, async (request, reply) => {
    const { name } = request.params;
    const { replica, timeout, dryRun } = request.body ?? {};
    const wish = replica === undefined ? {} : { successor: replica };
    if (dryRun === true) return masterControls.previewFailover(name, wish);
    return masterControls.failOver(name, { ...wish, ...limitsOf(timeout), signal: abortedWith(reply.raw) });
  });
  const rebase = { summary: 'Begin a new generation of a record', params, response: { 200: rebasedAnswer } };
  server.post('/v1/masters/:name/rebase', { schema: rebase }, async (request) => {
    const { name } = request.params;
    return { name, record: await masterControls.rebase(name) };
  });
}
