/**
 * What can be wrong with a master while its record is right.
 * `redis-denied`: a Redis does not let the bridge in. `sentinels-disagree`: somebody names another master than the record.
 * `held`: what the bridge itself waits for.
 */
export const troubleKinds = ['redis-denied', 'sentinels-disagree', 'held'] as const;

export interface Trouble {
  readonly kind: (typeof troubleKinds)[number];
  /** A sentence: what is wrong, and the way out. */
  readonly message: string;
}
