/** Major and minor version of Consul. */
export type ConsulVersion = readonly [major: number, minor: number];

/** The oldest version that switchmaster supports, and the first one that it is not tested with. */
export const oldestConsul: ConsulVersion = [1, 8];
export const untestedConsul: ConsulVersion = [2, 0];
