import * as z from 'zod';
import { SwitchmasterError } from '../errors.ts';
import type { Api } from './api.ts';
import { nameParameter } from './parameters.ts';
import { templateCheckAnswer } from './shapes.ts';
import type { Views } from './views.ts';

/** Strict, like the other checks. */
const querystring = z.strictObject({ name: nameParameter });

type CheckedViews = Pick<Views, 'templates' | 'masters' | 'health'>;

/**
 * For what gives an address to one of several machines, such as keepalived: 200 if the consumer of a template on this node uses the
 * right text, and the node would learn of a change of master.
 */
export function addTemplateCheckRoute(server: Api, views: CheckedViews): void {
  const summary = 'Check that the consumer of a template is up to date, and that this node follows changes';
  server.route({
    method: ['GET', 'OPTIONS'],
    url: '/check/template',
    schema: { summary, querystring, response: { 200: templateCheckAnswer } },
    handler: async (request) => check(views, (request.query as z.output<typeof querystring>).name),
  });
}

function check({ templates, masters, health }: CheckedViews, name: string): z.output<typeof templateCheckAnswer> {
  const template = templates.get(name);
  if (template === undefined) throw new SwitchmasterError('not-found', `no template is called ${JSON.stringify(name)}`);
  const { reasons } = health.read();
  const wrong = reasons.find(
    ({ code, subject }) => subject.kind === 'template' && subject.name === name && code !== 'template-warning',
  );
  if (wrong !== undefined) throw new SwitchmasterError('template-not-current', `${name}: ${wrong.text}`);
  const lost = reasons.find(({ code }) => code === 'consul-unreachable');
  // A bridge on this node passes a change of master to the renderer without Consul.
  if (lost !== undefined && !masters.sentinels().some(({ up }) => up))
    throw new SwitchmasterError('not-following', `${lost.text}; and no Sentinel answers this node`);
  return { name, state: template.state };
}
