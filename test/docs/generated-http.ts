import { EventStreams } from '../../lib/http/events.ts';
import { makeServer } from '../../lib/http/server.ts';
import { exampleViews } from '../http/views.ts';
import type { GeneratedPart } from './generated.ts';
import { type GeneratedRow, tableWithMeanings } from './markdown-table.ts';

/* The table of routes in docs/reference/http.md, from the OpenAPI document. What a route answers is written by hand. */

const page = 'docs/reference/http.md';

interface Schema {
  readonly properties?: Readonly<Record<string, object>>;
  readonly anyOf?: readonly Schema[];
}

interface Operation {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
  readonly security?: readonly object[];
}

interface Parameter {
  readonly in: string;
  readonly name: string;
  readonly required?: boolean;
  readonly schema: { readonly default?: unknown };
}

async function readDocument(): Promise<Readonly<Record<string, Readonly<Record<string, Operation>>>>> {
  const views = exampleViews();
  const streams = new EventStreams(views.journal);
  const server = makeServer({ views, version: '0', token: undefined, streams, onDefect: () => {} });
  const answer = await server.inject('/openapi.json');
  await server.close();
  return answer.json().paths;
}

const paths = await readDocument();

/** The checks answer OPTIONS as GET. */
const routes: ReadonlyMap<string, Operation> = new Map(
  Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations)
      .filter(([method]) => method !== 'options')
      .map(([method, operation]) => [`${method.toUpperCase()} ${path}`, operation] as const),
  ),
);

function parametersOf({ parameters = [], requestBody }: Operation): string {
  const query = parameters
    .filter((parameter) => parameter.in === 'query')
    .map(({ name, required, schema }) => {
      const remark = required === true ? 'required' : schema.default === undefined ? '' : `default ${schema.default}`;
      return `\`${name}\`${remark === '' ? '' : ` (${remark})`}`;
    });
  const body = Object.values(requestBody?.content ?? {}).flatMap(({ schema }) => fieldsOf(schema));
  return [...query, ...(body.length === 0 ? [] : [`body: ${body.map((name) => `\`${name}\``).join(', ')}`])].join(', ');
}

function fieldsOf({ properties = {}, anyOf = [] }: Schema): readonly string[] {
  return [...Object.keys(properties), ...anyOf.flatMap(fieldsOf)];
}

function rowOf([route, operation]: readonly [string, Operation]): GeneratedRow {
  const token = operation.security === undefined ? '' : 'yes';
  return { name: route, cells: () => [`\`${route}\``, parametersOf(operation), token] };
}

export const httpParts: readonly GeneratedPart[] = [
  {
    name: 'routes',
    page,
    write: (current) =>
      tableWithMeanings(['route', 'parameters', 'needs the token', 'answers'], [...routes].map(rowOf), current),
  },
];
