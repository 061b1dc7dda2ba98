/** The resync of a loop without a setting for it, in milliseconds: how often it reconciles a key without a hint. */
export const usualResyncMs = 30_000;
