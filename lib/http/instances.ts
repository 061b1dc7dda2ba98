import type { Api } from './api.ts';
import { instancesAnswer } from './shapes.ts';
import type { InstancesView } from './views.ts';

/** What this node has registered of its own, and how it is. */
export function addInstanceRoutes(server: Api, views: { readonly instances: InstancesView }): void {
  const schema = { summary: "This node's own instances", response: { 200: instancesAnswer } };
  server.get('/v1/instances', { schema }, async () => ({ instances: views.instances.list() }));
}
