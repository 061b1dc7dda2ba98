import type { RequestListener } from 'node:http';
import fastify, { type FastifyInstance, type FastifySchemaValidationError } from 'fastify';
import { validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import { SwitchmasterError } from '../errors.ts';
import { limitAnswer } from './answer-limit.ts';
import type { Api } from './api.ts';
import { addCheckRoutes } from './checks.ts';
import { addClusterOrderRoutes, addClusterRoutes } from './clusters.ts';
import { addDesiredRoutes } from './desired.ts';
import { addEventRoutes, type EventStreams } from './events.ts';
import { fromThrown, notFound, securityHeaders, sendFailure } from './failure.ts';
import { addHealthRoutes } from './health.ts';
import { addHistoryRoutes } from './history.ts';
import { addInstanceRoutes } from './instances.ts';
import { addMaintenanceRoutes } from './maintenance.ts';
import { addMasterRoutes } from './masters.ts';
import { addMetricsRoute } from './metrics.ts';
import { makeNodeServer, type NodeServer, type NodeServerOptions } from './node-server.ts';
import { addOpenApi } from './openapi.ts';
import { addOrderRoutes } from './orders.ts';
import { addOriginGuard, type HostOptions } from './origin.ts';
import { addPageRoutes } from './page.ts';
import { addSentinelRoutes } from './sentinels.ts';
import { addTemplateCheckRoute } from './template-check.ts';
import { addTemplateRoutes } from './templates.ts';
import { addTokenGuard, type TokenGuard } from './token.ts';
import { answerUnparsed } from './unparsed.ts';
import type { Views } from './views.ts';

export interface ServerOptions extends HostOptions, NodeServerOptions {
  readonly views: Views;
  readonly version: string;
  /** The token of calls that change something; undefined disables them. */
  readonly token: string | undefined;
  /** Closed with the server. */
  readonly streams: EventStreams;
  /** How long an answer may wait for a client that does not read. Default 30,000. */
  readonly answerTimeoutMs?: number;
  /** Called for each address at which it listens. Default: {@link makeNodeServer}. */
  readonly makeNodeServer?: (answer: RequestListener) => NodeServer;
  /** Called for each defect. */
  readonly onDefect: (error: SwitchmasterError, request: { readonly method: string; readonly url: string }) => void;
}

// Given here, because Fastify loads Ajv and a compiler of serializers at each start where the factories are missing.
const compilersFactory = {
  // Fastify's type of it knows no other schemas than Ajv's.
  buildValidator: () => validatorCompiler as never,
  // Views are typed by the shapes. To validate each answer again would slow every health check.
  buildSerializer: () => () => (answer: unknown) => JSON.stringify(answer),
};

/** Builds the API, not listening yet. It answers from memory: no request waits for Consul or Redis. */
export function makeServer(options: ServerOptions): FastifyInstance {
  const { answerTimeoutMs = 30_000, tls } = options;
  const server = fastify({
    logger: false,
    bodyLimit: 64 * 1024,
    forceCloseConnections: true,
    exposeHeadRoutes: true,
    // Sentinel limits no name, and one letter outside ASCII takes six or nine characters of a URL.
    routerOptions: { maxParamLength: 8_192 },
    schemaController: { compilersFactory },
    frameworkErrors: (error, _request, reply) => void sendFailure(reply, fromThrown(error)),
    clientErrorHandler: answerUnparsed,
    serverFactory: options.makeNodeServer ?? ((answer) => makeNodeServer(answer, options)),
    // Only the URL that it reports depends on this.
    ...(tls === undefined ? {} : { https: {} }),
  }) as unknown as FastifyInstance;
  server.setSchemaErrorFormatter(toRefusal);
  server.addHook('onRequest', async (_request, reply) => void reply.headers(securityHeaders));
  server.addHook('onSend', async (_request, { raw }) => limitAnswer(raw, answerTimeoutMs));
  server.setNotFoundHandler((request, reply) => sendFailure(reply, notFound(request)));
  server.setErrorHandler((thrown, request, reply) => {
    const error = fromThrown(thrown);
    if (error.code === 'internal') options.onDefect(error, { method: request.method, url: request.url });
    return sendFailure(reply, error);
  });
  addOriginGuard(server, { ...options, tls: tls !== undefined });
  const guard = addTokenGuard(server, { token: options.token });
  addOpenApi(server, { version: options.version });
  // The document describes only routes that are added after it is loaded.
  server.register(async (api) => addRoutes(api.withTypeProvider<ZodTypeProvider>(), { ...options, guard }));
  return server;
}

function addRoutes(api: Api, options: ServerOptions & { readonly guard: TokenGuard }): void {
  const { views, version, streams, guard } = options;
  const orders = options.token === undefined ? 'off' : 'token';
  addHealthRoutes(api, { health: views.health, node: views.node, version, orders });
  addCheckRoutes(api, views);
  addMasterRoutes(api, views);
  addClusterRoutes(api, views);
  addInstanceRoutes(api, views);
  addDesiredRoutes(api, views);
  addOrderRoutes(api, views);
  addMaintenanceRoutes(api, views);
  addClusterOrderRoutes(api, views);
  addSentinelRoutes(api, views);
  addTemplateRoutes(api, { views, token: guard });
  addTemplateCheckRoute(api, views);
  addHistoryRoutes(api, views);
  addMetricsRoute(api, views);
  addEventRoutes(api, streams);
  addPageRoutes(api);
  const document = { summary: 'Read the OpenAPI document of this API' };
  api.get('/openapi.json', { schema: document }, async () => api.swagger());
}

/** The first problem of a request, with where it is. */
function toRefusal([issue]: FastifySchemaValidationError[]): SwitchmasterError {
  const where = issue?.instancePath.slice(1).replaceAll('/', '.') ?? '';
  const message = `${where === '' ? 'the request' : where}: ${issue?.message ?? 'is invalid'}`;
  return new SwitchmasterError('request-invalid', message);
}
