import type { FastifyInstance } from 'fastify';
import { SwitchmasterError } from '../errors.ts';
import { sendFailure } from './failure.ts';
import { liveAnswer, readyAnswer } from './shapes.ts';
import type { ReadinessView } from './views.ts';

/** `/live` is about the process; `/ready` about the first full observation, and says what is missing. */
export function addHealthRoutes(
  server: FastifyInstance,
  options: { readonly readiness: ReadinessView; readonly version: string },
): void {
  server.get('/live', { schema: { summary: 'The process lives', response: { 200: liveAnswer } } }, async () => ({
    live: true,
    version: options.version,
    uptimeSeconds: Math.round(process.uptime() * 10) / 10,
  }));
  server.get(
    '/ready',
    { schema: { summary: 'The first full observation is done', response: { 200: readyAnswer } } },
    async (_request, reply) => {
      const missing = options.readiness.missing();
      if (missing.length === 0) return { ready: true };
      return sendFailure(
        reply,
        new SwitchmasterError('not-ready', `not ready: ${missing.join('; ')}`, { details: { missing } }),
      );
    },
  );
}
