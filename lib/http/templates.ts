import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { SwitchmasterError } from '../errors.ts';
import { type templateAnswer, templatesAnswer, templateTextAnswer } from './shapes.ts';
import type { OutcomesView, TemplateState, TemplatesView } from './views.ts';

const params = z.object({ name: z.string().min(1).max(256) });

export function addTemplateRoutes(
  server: FastifyInstance,
  views: { readonly templates: TemplatesView; readonly outcomes: OutcomesView },
): void {
  const answer = (state: TemplateState): z.output<typeof templateAnswer> => ({
    ...state,
    lastOutcome: views.outcomes.last('renderer', state.name) ?? null,
  });
  server.get(
    '/v1/templates',
    { schema: { summary: 'Every template with its state', response: { 200: templatesAnswer } } },
    async () => ({
      templates: views.templates.list().map(answer),
    }),
  );
  server.get(
    '/v1/templates/:name',
    { schema: { summary: 'One template with its rendered text', params, response: { 200: templateTextAnswer } } },
    async (request) => {
      const { name } = request.params as z.output<typeof params>;
      const state = views.templates.get(name);
      if (state === undefined)
        throw new SwitchmasterError('not-found', `no template is called ${JSON.stringify(name)}`);
      return { ...answer(state), rendered: views.templates.rendered(name) ?? null };
    },
  );
}
