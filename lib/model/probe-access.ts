/** The credentials and the TLS settings for a probe of a Redis, or of a proxy in front of it. */
export interface ProbeAccess {
  readonly username?: string;
  /** In an object, so that no log or error prints it. */
  readonly password?: { reveal(): string };
  /** PEM texts. */
  readonly tls?: { readonly ca?: string; readonly serverName?: string; readonly verify: boolean };
}
