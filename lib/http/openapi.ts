import type { FastifyInstance, RouteOptions } from 'fastify';
import { z } from 'zod';
import { errorAnswer } from './shapes.ts';

declare module 'fastify' {
  interface FastifySchema {
    /** What the route is for, in a line. */
    summary?: string;
  }
}

interface RouteSchema {
  readonly summary?: string;
  readonly params?: z.ZodType;
  readonly querystring?: z.ZodType;
  readonly body?: z.ZodType;
  readonly response?: Readonly<Record<string, z.ZodType>>;
}

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly [keyword: string]: unknown;
}

/** Describes every route that is added after it, from the schemas that the routes themselves are held to. */
export function addOpenApi(server: FastifyInstance, options: { readonly version: string }): void {
  const paths: Record<string, Record<string, object>> = {};
  server.addHook('onRoute', (route) => {
    const path = route.url.replace(/:(\w+)/g, '{$1}');
    for (const method of [route.method].flat()) {
      if (method === 'HEAD') continue;
      paths[path] = { ...paths[path], [method.toLowerCase()]: describeRoute(route, method) };
    }
  });
  const schema = { summary: 'This document' };
  server.get('/openapi.json', { schema }, async () => ({
    openapi: '3.1.0',
    info: { title: 'switchmaster', version: options.version, license: { name: 'MIT', identifier: 'MIT' } },
    paths,
    components: {
      schemas: { Error: toJsonSchema(errorAnswer) },
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
    },
  }));
}

function describeRoute(route: RouteOptions, method: string): object {
  const { summary, params, querystring, body, response } = (route.schema ?? {}) as RouteSchema;
  const answers = Object.entries(response ?? {}).map(([status, shape]) => [
    status,
    { description: 'OK', content: { 'application/json': { schema: toJsonSchema(shape) } } },
  ]);
  const failure = {
    description: 'Any error, by its code',
    content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
  };
  return {
    ...(summary === undefined ? {} : { summary }),
    ...(method === 'GET' || method === 'OPTIONS' ? {} : { security: [{ token: [] }] }),
    parameters: [...toParameters('path', params), ...toParameters('query', querystring)],
    ...(body === undefined ? {} : { requestBody: { content: { 'application/json': { schema: toJsonSchema(body) } } } }),
    responses: {
      ...(answers.length === 0 ? { 200: { description: 'OK' } } : Object.fromEntries(answers)),
      default: failure,
    },
  };
}

function toParameters(place: 'path' | 'query', shape: z.ZodType | undefined): readonly object[] {
  if (shape === undefined) return [];
  const { properties = {}, required = [] } = toJsonSchema(shape);
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    schema,
  }));
}

function toJsonSchema(shape: z.ZodType): JsonSchema {
  const { $schema: _, ...schema } = z.toJSONSchema(shape, { io: 'input', unrepresentable: 'any' });
  return schema as JsonSchema;
}
