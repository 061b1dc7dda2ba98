import * as z from 'zod';
import { SwitchmasterError } from '../errors.ts';
import type { Api } from './api.ts';
import { nameInPathParameter } from './parameters.ts';
import { masterAnswer, mastersAnswer } from './shapes.ts';
import type { MasterState, MastersView, OutcomesView } from './views.ts';

const params = z.object({ name: nameInPathParameter });

export function addMasterRoutes(
  server: Api,
  views: { readonly masters: MastersView; readonly outcomes: OutcomesView },
): void {
  const answer = (state: MasterState): z.output<typeof masterAnswer> => ({
    ...state,
    lastOutcome: views.outcomes.last('bridge', state.name) ?? null,
  });
  server.get(
    '/v1/masters',
    { schema: { summary: 'List every master with its record and votes', response: { 200: mastersAnswer } } },
    async () => ({
      masters: views.masters.list().map(answer),
    }),
  );
  server.get(
    '/v1/masters/:name',
    { schema: { summary: 'Read one master', params, response: { 200: masterAnswer } } },
    async (request) => {
      const { name } = request.params;
      const state = views.masters.get(name);
      if (state === undefined) throw new SwitchmasterError('not-found', `no master is called ${JSON.stringify(name)}`);
      return answer(state);
    },
  );
}
