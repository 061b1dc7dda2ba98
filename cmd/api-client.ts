import type { z } from 'zod';
import { findSimilar } from '../lib/config/similar.ts';
import { tokenProblem } from '../lib/config/token.ts';
import { type ErrorCode, errorTable, SwitchmasterError } from '../lib/errors.ts';
import { liveAnswer } from '../lib/http/health-shapes.ts';
import { clustersAnswer, errorAnswer, masterAnswer, mastersAnswer } from '../lib/http/shapes.ts';
import { pathSafe } from '../lib/model/naming.ts';
import { shellWord } from '../lib/model/shell-words.ts';
import { readRegularFile } from '../lib/regular-file.ts';
import { type SendOptions, send } from './api-connection.ts';
import type { ApiOptions } from './option.ts';
import { version } from './version.ts';

const defaultTimeoutMs = 10_000;

/** Where to ask: an API, and a path of it. */
interface Place {
  readonly api: ApiOptions;
  readonly path: string;
}

/** A call that changes something. */
export interface Order extends Place {
  readonly token: string;
  readonly body?: Readonly<Record<string, unknown>>;
  /** The limit for the answer, which comes when the change is complete. */
  readonly timeoutMs: number;
}

/** One answer of a running switchmaster's API. Throws its error, or `api-unreachable`. */
export async function ask<S extends z.ZodType>(
  { api, path, timeoutMs = defaultTimeoutMs }: Place & { readonly timeoutMs?: number },
  shape: S,
): Promise<z.output<S>> {
  const response = await request({ api, path }, { signal: AbortSignal.timeout(timeoutMs) });
  return readAnswer(response, { place: { api, path }, shape });
}

/** As {@link ask}, for a call that changes something. */
export async function order<S extends z.ZodType>(given: Order, shape: S): Promise<z.output<S>> {
  const { api, path, token, body } = given;
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const signal = AbortSignal.timeout(given.timeoutMs);
  const options = { method: 'POST', headers, body: JSON.stringify(body ?? {}), signal } as const;
  const response = await request({ api, path }, options).catch((thrown: unknown) => {
    const error = SwitchmasterError.from(thrown);
    if (error.code !== 'request-denied') throw error;
    // The request had a token: the daemon has a different one, or none.
    const hint = 'use the token in api.tokenFile of the daemon';
    throw new SwitchmasterError('request-denied', `${api.api} refuses the token (${hint})`, { cause: error });
  });
  return readAnswer(response, { place: { api, path }, shape });
}

/** As {@link ask}, about a master. For an unknown name, the error suggests the most similar one. */
export async function askAboutMaster<S extends z.ZodType>(
  name: string,
  { place, shape }: { readonly place: Place; readonly shape: S },
): Promise<z.output<S>> {
  try {
    return await ask(place, shape);
  } catch (thrown) {
    const error = SwitchmasterError.from(thrown);
    if (error.code !== 'not-found') throw error;
    const { masters } = await ask({ api: place.api, path: '/v1/masters' }, mastersAnswer);
    const names = masters.map((master) => master.name);
    const similar = findSimilar(name, names);
    const known = names.length === 0 ? 'it follows none' : `it follows ${names.join(', ')}`;
    const { clusters } = await ask({ api: place.api, path: '/v1/clusters' }, clustersAnswer);
    const isCluster = clusters.some((cluster) => cluster.name === name);
    const other = isCluster ? `${name} is a Redis Cluster, whose replicas failover --node promotes` : known;
    const meant = similar === undefined || isCluster ? other : `did you mean ${similar}?`;
    throw new SwitchmasterError('not-found', `${error.message} (${meant})`, { cause: error.cause });
  }
}

/** What is known of a master. Throws as {@link askAboutMaster}. */
export function askMaster(name: string, api: ApiOptions): Promise<z.output<typeof masterAnswer>> {
  const place = { api, path: `/v1/masters/${pathSafe(name)}` };
  return askAboutMaster(name, { place, shape: masterAnswer });
}

/** Throws as {@link askAboutMaster} where the daemon follows neither a master nor a cluster of this name. */
export async function requireFollowed(name: string, api: ApiOptions): Promise<void> {
  const { clusters } = await ask({ api, path: '/v1/clusters' }, clustersAnswer);
  if (!clusters.some((cluster) => cluster.name === name)) await askMaster(name, api);
}

/** The token of the API, from a file or the environment. Throws `config-unreadable` where neither has one that can be sent. */
export async function readToken(file: string | undefined): Promise<string> {
  if (file === undefined) {
    const token = process.env.SWITCHMASTER_API_TOKEN?.trim() ?? '';
    if (token !== '') return requireSendable(token, 'SWITCHMASTER_API_TOKEN');
    const hint =
      'give --token-file or --config, or set SWITCHMASTER_API_TOKEN to the token in api.tokenFile of the daemon; without api.tokenFile the daemon takes no orders (docs/guide/getting-started.md shows how to make a token)';
    throw new SwitchmasterError('config-unreadable', `this command needs the API token: ${hint}`);
  }
  const token = await readRegularFile(file).catch((cause: unknown) => {
    throw new SwitchmasterError(
      'config-unreadable',
      `the token file ${file} cannot be read (name a regular file, or set SWITCHMASTER_API_TOKEN)`,
      { cause },
    );
  });
  return requireSendable(token.trim(), file);
}

function requireSendable(token: string, from: string): string {
  const problem = tokenProblem(token, 'bearer');
  if (problem === undefined) return token;
  throw new SwitchmasterError('config-unreadable', `${from}: ${problem.message} (${problem.hint})`);
}

/** The response. Throws if it is an error. */
export async function request({ api, path }: Place, options: SendOptions): Promise<Response> {
  const response = await send(new URL(path, api.api), { ...options, api });
  if (response.ok) return response;
  const failure = errorAnswer.safeParse(await response.json().catch(() => undefined));
  if (!failure.success) {
    throw new SwitchmasterError('api-unreachable', `${api.api}${path} answers ${response.status}`);
  }
  const { code, message } = failure.data.error;
  throw new SwitchmasterError(isErrorCode(code) ? code : 'api-unreachable', message);
}

async function readAnswer<S extends z.ZodType>(
  response: Response,
  { place, shape }: { readonly place: Place; readonly shape: S },
): Promise<z.output<S>> {
  const json: unknown = await response.json().catch(() => undefined);
  const answer = shape.safeParse(json);
  if (answer.success) return answer.data;
  throw new SwitchmasterError('api-unreachable', await describeStranger(place), { cause: firstIssue(answer.error) });
}

/** What answers otherwise than this command expects: usually a daemon that was not restarted after an upgrade. */
async function describeStranger({ api, path }: Place): Promise<string> {
  const signal = AbortSignal.timeout(defaultTimeoutMs);
  const response = await request({ api, path: '/live' }, { signal }).catch(() => undefined);
  const live = liveAnswer.safeParse(await response?.json().catch(() => undefined));
  if (!live.success)
    return `${api.api}${path} does not answer as a switchmaster does (--config, --api or SWITCHMASTER_API say where one is)`;
  if (live.data.version === version)
    return `the switchmaster at ${api.api} has the version of this command (${version}), and ${path} does not answer as it expects: see the answer with curl ${shellWord(api.api + path)} (a proxy may change it)`;
  return `the switchmaster at ${api.api} (version ${live.data.version}) does not answer as this command (version ${version}) expects: after an upgrade, run systemctl restart switchmaster`;
}

function firstIssue({ issues }: z.ZodError): Error {
  const [first] = issues;
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : '';
  return new Error(`${first?.path.join('.') || 'the answer'}: ${first?.message}${more}`);
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorTable, code);
}
