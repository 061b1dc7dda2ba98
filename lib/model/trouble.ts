/**
 * What can be wrong with a master while its record is right.
 * `redis-denied`: a Redis does not let the bridge in. `redis-unreached`: the bridge never got to one that Sentinels see up.
 * `sentinels-disagree`: somebody names another master than the record.
 * `foreign-instance`: DNS answers an instance of somebody else beside ours.
 * `held`: what the bridge itself waits for.
 */
export const troubleKinds = [
  'redis-denied',
  'redis-unreached',
  'sentinels-disagree',
  'foreign-instance',
  'held',
] as const;

export interface Trouble {
  readonly kind: (typeof troubleKinds)[number];
  /** A sentence: what is wrong, and the way out. */
  readonly message: string;
}
