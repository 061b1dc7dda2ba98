import * as z from 'zod';
import { SwitchmasterError } from '../errors.ts';
import { kindConfiguredBy } from '../model/instance-kinds.ts';
import type { Api } from './api.ts';
import { isLong, streamJson } from './long-answer.ts';
import { nameInPathParameter } from './parameters.ts';
import { acceptedAnswer, type templateAnswer, templatesAnswer, templateTextAnswer } from './shapes.ts';
import type { TokenGuard } from './token.ts';
import type { TemplateState, Views } from './views.ts';

const params = z.object({ name: nameInPathParameter });
const approveBody = z
  .strictObject({ digest: z.string().min(1).max(128).optional() })
  .nullish()
  .meta({ description: "The template's `held` that you reviewed. Any other text is refused." });

export function addTemplateRoutes(
  server: Api,
  {
    views,
    token,
  }: {
    readonly views: Pick<Views, 'templates' | 'templateControls' | 'outcomes'>;
    readonly token: TokenGuard;
  },
): void {
  const answer = (state: TemplateState): z.output<typeof templateAnswer> => ({
    ...state,
    lastOutcome: views.outcomes.last('renderer', state.name) ?? null,
    configures: kindConfiguredBy([state.source, state.destination]) ?? null,
  });
  server.get(
    '/v1/templates',
    { schema: { summary: 'List every template with its state', response: { 200: templatesAnswer } } },
    async () => ({
      templates: views.templates.list().map(answer),
    }),
  );
  const summary = 'Read one template with its rendered text; secrets are redacted without the token';
  server.get(
    '/v1/templates/:name',
    { schema: { summary, params, response: { 200: templateTextAnswer } } },
    async (request, reply) => {
      const { name } = request.params;
      const state = views.templates.get(name);
      if (state === undefined)
        throw new SwitchmasterError('not-found', `no template is called ${JSON.stringify(name)}`);
      // A wrong token is refused: its holder must not take a redacted text for the complete one.
      const brought = token.isBrought(request);
      if (brought || state.access === 'token') token.admit(request);
      const reader = brought ? 'token-holder' : 'anybody';
      const [rendered = null, present = null] = await Promise.all([
        views.templates.rendered(name, reader),
        views.templates.present(name, reader),
      ]);
      if (!isLong({ rendered, present })) return { ...answer(state), rendered, present };
      // As the schema says, but not by its serializer.
      reply.type('application/json; charset=utf-8');
      return streamJson(answer(state), { rendered, present }) as never;
    },
  );
  addControlRoutes(server, views.templateControls);
}

function addControlRoutes(server: Api, controls: Views['templateControls']): void {
  const response = { 202: acceptedAnswer };
  const render = { summary: 'Render a template again, even if it was rolled back', params, response };
  server.post('/v1/templates/:name/render', { schema: render }, async (request, reply) => {
    const { name } = request.params;
    controls.render(name);
    return reply.code(202).send({ accepted: true });
  });
  const approve = { summary: 'Release the text that a guard holds', params, body: approveBody, response };
  server.post('/v1/templates/:name/approve', { schema: approve }, async (request, reply) => {
    const { name } = request.params;
    const { digest } = request.body ?? {};
    controls.approve(name, digest === undefined ? {} : { digest });
    return reply.code(202).send({ accepted: true });
  });
}
