import { z } from 'zod';
import type { Api } from './api.ts';
import { addressParameter, durationParameter, nameInPathParameter } from './parameters.ts';
import { plannedAnswer, rebasedAnswer } from './shapes.ts';
import type { MasterControls } from './views.ts';

const params = z.object({ name: nameInPathParameter });
const failoverBody = z
  .strictObject({
    replica: addressParameter.optional(),
    timeout: durationParameter({ minMs: 100, maxMs: 60_000 }).optional(),
  })
  .nullish()
  .meta({
    description: 'The replica to promote (Sentinel chooses by default), and the timeout of each stage (default 10s).',
  });

/** Orders of an operator for a master. The answer comes when all is done, and is the report; each step is an event. */
export function addOrderRoutes(server: Api, { masterControls }: { readonly masterControls: MasterControls }): void {
  const failover = {
    summary: 'Fail over without losing an acknowledged write',
    params,
    body: failoverBody,
    response: { 200: plannedAnswer },
  };
  server.post('/v1/masters/:name/failover', { schema: failover }, async (request) => {
    const { name } = request.params;
    const { replica, timeout } = request.body ?? {};
    return masterControls.failOver(name, {
      ...(replica === undefined ? {} : { successor: replica }),
      ...(timeout === undefined ? {} : { timeoutMs: timeout }),
    });
  });
  const rebase = { summary: 'Begin a new generation of a record', params, response: { 200: rebasedAnswer } };
  server.post('/v1/masters/:name/rebase', { schema: rebase }, async (request) => {
    const { name } = request.params;
    return { name, record: await masterControls.rebase(name) };
  });
}
