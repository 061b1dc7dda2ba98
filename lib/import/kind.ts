/** The programs whose configs can be imported. */
export const importKinds = [
  'redis-twemproxy-agent',
  'smitty',
  'redishappy',
  'consul-template',
  'consul-templaterb',
  'client-reconfig-script',
] as const;

export type ImportKind = (typeof importKinds)[number];
