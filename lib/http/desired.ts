import type { Api } from './api.ts';
import { desiredAnswer } from './shapes.ts';
import type { DesiredView, OutcomesView } from './views.ts';

/** The masters that `desired/` names, each with the last outcome of provisioning it. */
export function addDesiredRoutes(
  server: Api,
  views: { readonly desired: DesiredView; readonly outcomes: OutcomesView },
): void {
  const schema = { summary: 'List every master that desired/ names', response: { 200: desiredAnswer } };
  server.get('/v1/desired', { schema }, async () => ({
    desired: views.desired
      .list()
      .map((name) => ({ name, lastOutcome: views.outcomes.last('provisioner', name) ?? null })),
  }));
}
