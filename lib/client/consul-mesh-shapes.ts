import * as z from 'zod';
import type { CaLeaf, CaRoot, Peering } from '../model/catalog.ts';
import { read, stringMap } from './consul-shapes.ts';

/* Answers about the agent itself and about Consul's service mesh (docs: "HTTP API"). */

export function readAgentNode(json: unknown, what: string): string {
  return read(z.object({ Config: z.object({ NodeName: z.string() }) }), json, what).Config.NodeName;
}

const texts = z
  .array(z.string())
  .nullish()
  .transform((list) => list ?? []);

export function readCaRoots(json: unknown, what: string): readonly CaRoot[] {
  const root = z.object({
    ID: z.string(),
    Name: z.string(),
    RootCert: z.string(),
    IntermediateCerts: texts,
    Active: z.boolean(),
  });
  const { Roots } = read(z.object({ Roots: z.array(root).nullish() }), json, what);
  return (Roots ?? []).map(({ ID, Name, RootCert, IntermediateCerts, Active }) => {
    return { id: ID, name: Name, active: Active, rootCert: RootCert, intermediateCerts: IntermediateCerts };
  });
}

export function readCaLeaf(json: unknown, what: string): CaLeaf {
  const shape = z.object({
    SerialNumber: z.string(),
    CertPEM: z.string(),
    PrivateKeyPEM: z.string(),
    Service: z.string(),
    ValidAfter: z.string(),
    ValidBefore: z.string(),
  });
  const leaf = read(shape, json, what);
  return {
    service: leaf.Service,
    serialNumber: leaf.SerialNumber,
    cert: leaf.CertPEM,
    privateKey: leaf.PrivateKeyPEM,
    validAfter: leaf.ValidAfter,
    validBefore: leaf.ValidBefore,
  };
}

export function readPeerings(json: unknown, what: string): readonly Peering[] {
  const peering = z.object({ ID: z.string(), Name: z.string(), State: z.string(), Meta: stringMap });
  return (read(z.array(peering).nullable(), json, what) ?? [])
    .map(({ ID, Name, State, Meta }) => ({ id: ID, name: Name, state: State, meta: Meta }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
