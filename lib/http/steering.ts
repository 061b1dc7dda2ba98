import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { addressParameter, durationParameter, nameParameter } from './parameters.ts';
import { plannedAnswer, rebasedAnswer } from './shapes.ts';
import type { MasterControls } from './views.ts';

const params = z.object({ name: nameParameter });
const failoverBody = z
  .strictObject({
    replica: addressParameter.optional(),
    timeout: durationParameter({ minMs: 100, maxMs: 60_000 }).optional(),
  })
  .nullish()
  .meta({ description: 'Who is to become master (else Sentinel chooses), and how long each stage may take (10s).' });

/** What an operator does to a master. The answer is the report, when all is done; its steps are events meanwhile. */
export function addSteeringRoutes(
  server: FastifyInstance,
  { masterControls }: { readonly masterControls: MasterControls },
): void {
  const failover = {
    summary: 'A planned failover that loses nothing',
    params,
    body: failoverBody,
    response: { 200: plannedAnswer },
  };
  server.post('/v1/masters/:name/failover', { schema: failover }, async (request) => {
    const { name } = request.params as z.output<typeof params>;
    const { replica, timeout } = (request.body as z.output<typeof failoverBody>) ?? {};
    return masterControls.failOver(name, {
      ...(replica === undefined ? {} : { successor: replica }),
      ...(timeout === undefined ? {} : { timeoutMs: timeout }),
    });
  });
  const rebase = { summary: 'A new generation by hand', params, response: { 200: rebasedAnswer } };
  server.post('/v1/masters/:name/rebase', { schema: rebase }, async (request) => {
    const { name } = request.params as z.output<typeof params>;
    return { name, record: await masterControls.rebase(name) };
  });
}
