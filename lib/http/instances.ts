import { instanceKind } from '../model/instance-kinds.ts';
import type { Api } from './api.ts';
import { instancesAnswer } from './shapes.ts';
import type { InstancesView } from './views.ts';

/** The instances that this node has registered. */
export function addInstanceRoutes(server: Api, views: { readonly instances: InstancesView }): void {
  const schema = { summary: 'List the instances of this node with their checks', response: { 200: instancesAnswer } };
  server.get('/v1/instances', { schema }, async () => ({
    instances: views.instances.list().map((state) => ({ ...state, type: instanceKind(state.kind).answer })),
  }));
}
