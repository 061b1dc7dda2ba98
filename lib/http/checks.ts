import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { SwitchmasterError } from '../errors.ts';
import { type Address, formatAddress, sameAddress } from '../model/address.ts';
import type { MasterRecord } from '../model/record.ts';
import { addressParameter, nameParameter } from './parameters.ts';
import { roleAnswer } from './shapes.ts';
import type { MastersView } from './views.ts';

/** Strict: a limit that is asked for and not kept would be a wrong 200. */
const query = z.strictObject({ address: addressParameter, name: nameParameter.optional() });

type Role = z.output<typeof roleAnswer>['role'];

/**
 * For a load balancer's health check of one Redis: 200 only where the record names that address in that role, 503
 * otherwise. Answered from memory, so thousands a second cost neither Consul nor Redis anything.
 */
export function addCheckRoutes(server: FastifyInstance, views: { readonly masters: MastersView }): void {
  const add = (role: Role): void => {
    const schema = {
      summary: `200 only where the address is a current ${role} by the record`,
      querystring: query,
      response: { 200: roleAnswer },
    };
    server.route({
      // HAProxy's httpchk asks with OPTIONS unless told otherwise.
      method: ['GET', 'OPTIONS'],
      url: `/check/${role}`,
      schema,
      handler: async (request) => {
        const wanted = request.query as z.output<typeof query>;
        const record = find(views.masters.records(), { ...wanted, role });
        if (record !== undefined) return toAnswer(record, { address: wanted.address, role });
        throw new SwitchmasterError('role-not-held', `${formatAddress(wanted.address)} is not a ${role} by any record`);
      },
    });
  };
  add('master');
  add('replica');
}

function find(
  records: Iterable<MasterRecord>,
  wanted: { readonly address: Address; readonly name?: string | undefined; readonly role: Role },
): MasterRecord | undefined {
  for (const record of records) {
    if (wanted.name !== undefined && record.name !== wanted.name) continue;
    const holders = wanted.role === 'master' ? [record.master] : record.replicas;
    if (holders.some((holder) => sameAddress(holder, wanted.address))) return record;
  }
  return undefined;
}

function toAnswer(
  { name, generation, epoch }: MasterRecord,
  held: { readonly address: Address; readonly role: Role },
): z.output<typeof roleAnswer> {
  return { name, role: held.role, address: held.address, generation, epoch };
}
