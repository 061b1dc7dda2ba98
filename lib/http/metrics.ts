import type { Api } from './api.ts';
import type { MetricsTextView } from './views.ts';

export function addMetricsRoute(server: Api, views: { readonly metrics: MetricsTextView }): void {
  const schema = { summary: "Read the metrics in Prometheus' text format" };
  server.get('/metrics', { schema }, async (_request, reply) => {
    const { contentType, body } = await views.metrics.text();
    // A buffer is sent as it is: text would be taken for JSON.
    return reply.type(contentType).send(Buffer.from(body));
  });
}
