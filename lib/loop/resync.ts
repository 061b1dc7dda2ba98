/** How often a key is reconciled without a hint by a loop for which no setting says it, in milliseconds. */
export const usualResyncMs = 30_000;
