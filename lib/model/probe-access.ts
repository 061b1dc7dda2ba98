/** What it takes to be let in by a Redis, or by a proxy before it, that is only probed. */
export interface ProbeAccess {
  readonly username?: string;
  /** Wrapped, so that it is printed nowhere. */
  readonly password?: { reveal(): string };
  /** PEM texts. */
  readonly tls?: { readonly ca?: string; readonly serverName?: string; readonly verify: boolean };
}
