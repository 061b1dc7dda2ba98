/** What is wanted of one template: a validated part of the config. Every time is in milliseconds. */
export interface TemplateSpec {
  /** Unique: the key of its reconciliations, and its name in the API. */
  readonly name: string;
  /** Absolute path of the template. */
  readonly source: string;
  /** Absolute path of the file that is kept. */
  readonly destination: string;
  /** Default: what the source's or the destination's name tells. */
  readonly format?: TemplateSpecFormat;
  readonly vars: Readonly<Record<string, unknown>>;
  /** Proves a candidate before it takes the destination's place; `{{file}}` stands for its path. */
  readonly check?: CommandSpec;
  /** Makes the consumer use the new file. */
  readonly reload?: ReloadSpec;
  /** Permission bits; default: kept, 0644 for a new file. */
  readonly mode?: number;
  readonly owner?: string | number;
  readonly group?: string | number;
}

export type TemplateSpecFormat = 'json' | 'yaml' | 'haproxy' | 'conf' | 'env' | 'text';

export interface CommandSpec {
  readonly argv: readonly string[];
  /** Default 30,000. */
  readonly timeoutMs?: number;
}

export type ReloadSpec = { readonly kind: 'command'; readonly command: CommandSpec };
