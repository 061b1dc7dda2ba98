import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { SwitchmasterError } from '../errors.ts';
import { acceptedAnswer, type templateAnswer, templatesAnswer, templateTextAnswer } from './shapes.ts';
import type { TemplateState, Views } from './views.ts';

const params = z.object({ name: z.string().min(1).max(256) });

export function addTemplateRoutes(
  server: FastifyInstance,
  views: Pick<Views, 'templates' | 'templateControls' | 'outcomes'>,
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
      const [rendered = null, present = null] = [views.templates.rendered(name), views.templates.present(name)];
      return { ...answer(state), rendered, present };
    },
  );
  addControl(server, { action: 'render', summary: 'Look at it again, also where it was rolled back', views });
  addControl(server, { action: 'approve', summary: 'Release the text that a guard holds', views });
}

function addControl(
  server: FastifyInstance,
  control: {
    readonly action: 'render' | 'approve';
    readonly summary: string;
    readonly views: Pick<Views, 'templateControls'>;
  },
): void {
  const { action, summary, views } = control;
  const schema = { summary, params, response: { 202: acceptedAnswer } };
  server.post(`/v1/templates/:name/${action}`, { schema }, async (request, reply) => {
    const { name } = request.params as z.output<typeof params>;
    views.templateControls[action](name);
    return reply.code(202).send({ accepted: true });
  });
}
