export type Dialect = 'haproxy' | 'redis' | 'conf' | 'env';

/*
 * Quotes as each program reads them. Each function returns undefined where the program, or the programs, have no way to write
 * the text.
 *
 * - HAProxy: quotes anywhere in a word; in double quotes, a backslash escapes, and a variable is expanded (configuration
 *   manual, 2.2 and 2.3).
 * - Redis, Sentinel, Valkey: quotes around a whole word; in double quotes, `\"`, `\\` and `\xHH`; in single quotes, `\'`
 *   (sds.c, sdssplitargs).
 * - KEY=value files: what a shell, systemd's EnvironmentFile and dotenv read alike.
 */

/** Quotes a value in a bare word that has the text `before` already. */
export function quoteWord(
  dialect: Dialect,
  { text, before }: { readonly text: string; readonly before: string },
): string | undefined {
  switch (dialect) {
    case 'haproxy':
      return text === '' ? undefined : `"${quoteDouble(dialect, text)}"`;
    case 'redis':
      return before === '' ? `"${quoteDouble(dialect, text)}"` : undefined;
    case 'env': {
      if (!/^[A-Za-z_]\w*=$/.test(before)) return undefined;
      // Dotenv and older versions of systemd know escapes in single quotes: of the quote and of the backslash.
      if (!/'|\\(?:\\|$)/.test(text)) return `'${text}'`;
      return quoteDouble(dialect, text) === undefined ? undefined : `"${text}"`;
    }
    case 'conf':
      return undefined;
  }
}

/** The content of double quotes. */
export function quoteDouble(dialect: Dialect, text: string): string | undefined {
  switch (dialect) {
    case 'haproxy':
      return text.replace(/["\\$]/g, '\\$&');
    case 'redis':
      return text.replace(/["\\]/g, '\\$&');
    case 'conf':
      return /["\\$`]/.test(text) || evaluated.test(text) ? undefined : text;
    case 'env':
      return /["\\$`]/.test(text) ? undefined : text;
  }
}

/** The content of single quotes. */
export function quoteSingle(dialect: Dialect, text: string): string | undefined {
  if (dialect === 'redis') return text.endsWith('\\') ? undefined : text.replaceAll("'", "\\'");
  if (/['\\]/.test(text)) return undefined;
  // Some programs expand variables in single quotes too, such as nginx.
  return dialect === 'conf' && (text.includes('$') || evaluated.test(text)) ? undefined : text;
}

/** As in `%(ENV_HOME)s` of supervisord, `%{HOME}e` of Apache and `%h` of systemd, which quotes do not keep from it. */
const evaluated = /%(?!\d)/;
