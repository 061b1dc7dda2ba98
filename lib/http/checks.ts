import * as z from 'zod';
import { SwitchmasterError } from '../errors.ts';
import { type Address, formatAddress, sameAddress } from '../model/address.ts';
import type { Lag } from '../model/lag.ts';
import type { MasterRecord } from '../model/record.ts';
import type { Api } from './api.ts';
import { addressParameter, type LagLimit, lagParameter, nameParameter } from './parameters.ts';
import { roleAnswer } from './shapes.ts';
import type { MastersView } from './views.ts';

/** Strict: an unknown parameter would otherwise be ignored, and the answer would be a wrong 200. */
const masterQuery = z.strictObject({ address: addressParameter, name: nameParameter.optional() });
const replicaQuery = masterQuery.extend({ maxLag: lagParameter.optional() });

type Query = z.output<typeof replicaQuery>;
type Role = z.output<typeof roleAnswer>['role'];

/**
 * Routes for a load balancer's health check of one Redis: 200 if the record names that address in that role, else 503.
 * They answer from memory: no check makes a request to Consul or Redis.
 */
export function addCheckRoutes(server: Api, views: { readonly masters: MastersView }): void {
  const add = (role: Role, querystring: z.ZodType): void => {
    const schema = {
      summary: `Check that an address is a current ${role} by the record`,
      querystring,
      response: { 200: roleAnswer },
    };
    server.route({
      // HAProxy's httpchk sends OPTIONS by default.
      method: ['GET', 'OPTIONS'],
      url: `/check/${role}`,
      schema,
      handler: async (request) => check(views.masters, { ...(request.query as Query), role }),
    });
  };
  add('master', masterQuery);
  add('replica', replicaQuery);
}

function check(masters: MastersView, wanted: Query & { readonly role: Role }): z.output<typeof roleAnswer> {
  const { address, role, maxLag } = wanted;
  const found = find(masters.records(), wanted);
  if (found === undefined) {
    throw new SwitchmasterError('role-not-held', `${formatAddress(address)} is not a ${role} by any record`);
  }
  const { name, generation, epoch } = found.record;
  const lag = maxLag === undefined ? undefined : masters.lag(name, found.address);
  if (maxLag !== undefined) requireLag(address, { lag, maxLag });
  return { name, role, address, generation, epoch, lag: lag ?? null };
}

function requireLag(
  address: Address,
  { lag, maxLag }: { readonly lag: Lag | undefined; readonly maxLag: LagLimit },
): void {
  const known = maxLag.unit === 'bytes' ? lag?.bytes : lag?.behindMs;
  if (known !== undefined && known !== null && known <= maxLag.max) return;
  const what = known === undefined || known === null ? 'an unknown distance' : `${known} ${maxLag.unit}`;
  throw new SwitchmasterError('replica-lags', `${formatAddress(address)} is ${what} behind its master`);
}

/** The record that has the address in that role, and the address as the record spells it. */
function find(
  records: Iterable<MasterRecord>,
  wanted: { readonly address: Address; readonly name?: string | undefined; readonly role: Role },
): { readonly record: MasterRecord; readonly address: Address } | undefined {
  for (const record of records) {
    if (wanted.name !== undefined && record.name !== wanted.name) continue;
    const holders = wanted.role === 'master' ? [record.master] : record.replicas;
    const address = holders.find((holder) => sameAddress(holder, wanted.address));
    if (address !== undefined) return { record, address };
  }
  return undefined;
}
