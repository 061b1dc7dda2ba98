import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { createJsonSchemaTransform } from 'fastify-type-provider-zod';
import * as z from 'zod';
import { errorAnswer } from './shapes.ts';

/** Describes every route that is registered after it, from the schemas that the routes themselves are held to. */
export function addOpenApi(server: FastifyInstance, options: { readonly version: string }): void {
  const { $schema: _, ...errorSchema } = z.toJSONSchema(errorAnswer);
  server.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'switchmaster', version: options.version, license: { name: 'MIT', identifier: 'MIT' } },
      components: {
        schemas: { Error: errorSchema as object },
        securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      },
    },
    transform: createJsonSchemaTransform({ skipList: [] }),
    transformObject: (document) => addCommonParts('openapiObject' in document ? document.openapiObject : {}),
  });
}

interface Operation {
  responses?: Record<string, unknown>;
  security?: readonly object[];
}

const failure = {
  description: 'Any error, by its code',
  content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
};

/** What every route has: its errors, and the token of those that change something. */
function addCommonParts<D extends { readonly paths?: unknown }>(document: D): D {
  const paths = Object.values((document.paths ?? {}) as Record<string, Record<string, Operation>>);
  for (const operations of paths) {
    for (const [method, operation] of Object.entries(operations)) {
      operation.responses = { ...operation.responses, default: failure };
      if (method === 'post') operation.security = [{ token: [] }];
    }
  }
  return document;
}
