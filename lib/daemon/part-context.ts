import type { BridgePart } from '../bridge/part.ts';
import type { Config } from '../config/model.ts';
import type { Secret } from '../config/secret.ts';
import type { Decisions } from '../consul/decisions.ts';
import type { ConsulPart } from '../consul/part.ts';
import type { EndpointPart } from '../endpoint/part.ts';
import type { Views } from '../http/views.ts';
import type { RunReport } from '../loop/outcome.ts';
import type { MaintenanceMemory } from '../maintenance/memory.ts';
import type { MaintenancePart } from '../maintenance/part.ts';
import type { ProvisioningPart } from '../provisioner/part.ts';
import type { RegistrarPart } from '../registrar/part.ts';
import type { Log } from '../telemetry/log.ts';
import type { Conditions } from './conditions.ts';
import type { Handovers } from './handovers.ts';

/** What parts get from the daemon and from each other. It outlives every part. */
export interface PartContext {
  readonly version: string;
  readonly log: Log;
  /** The name that signs records. */
  readonly bridgeId: string;
  readonly conditions: Conditions;
  /** Decisions of the bridge that runs here, for the renderer. */
  readonly decisions: Decisions;
  /** Servers that listen across a reload. */
  readonly handovers: Handovers;
  /** What was known of maintenance before a reload. */
  readonly maintenanceMemory: MaintenanceMemory;
  /** Throws `not-found` where nothing of this config needs it. */
  readonly maintenance: () => MaintenancePart;
  readonly views: () => Views;
  /** Throws `internal` before the part `consul` is built. */
  readonly consul: () => ConsulPart;
  readonly bridge: () => BridgePart | undefined;
  readonly registrar: () => RegistrarPart | undefined;
  readonly provisioner: () => ProvisioningPart | undefined;
  readonly endpoint: () => EndpointPart | undefined;
  readonly onReport: (report: RunReport) => void;
  /** The present token for Consul. */
  readonly consulToken: () => Secret | undefined;
  /** The config that runs. */
  readonly config: () => Config;
  /** Secrets of the whole config. */
  readonly secrets: () => readonly string[];
  /** Whether any config since the start had a section `register`. */
  readonly hasRegistered: () => boolean;
}
