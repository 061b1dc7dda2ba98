/** What `--with` and `--try` take, besides programs of the machine's own apt, by name. */
export const editions: Readonly<Record<string, object>>;
