/* What the package exports: how to read the record of a master, the value of `record/NAME` in Consul. */
export type { Address } from './model/address.ts';
export { type MasterRecord, parseRecord } from './model/record.ts';
