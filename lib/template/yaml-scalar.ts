/**
 * Whether some reader takes a plain scalar for something other than this text: the core schema of YAML 1.2, the types of YAML
 * 1.1 (yaml.org/type), and what PyYAML, Ruby's Psych and go-yaml read besides.
 */
export function isAmbiguous(scalar: string): boolean {
  // No pattern below takes long for so few characters.
  if (scalar.length > 200) return /^[-+.0-9]/.test(scalar);
  return ambiguous.some((pattern) => pattern.test(scalar));
}

const ambiguous = [
  /^(?:~|null|true|false|yes|no|on|off|y|n|<<|=)?$/i,
  // Numbers, with the digits of 1.1 in groups and in base 60. Psych also takes commas.
  /^[-+]?[0-9][0-9_,]*$/,
  /^[-+]?0[box][0-9a-f_]+$/i,
  /^[-+]?(?:[0-9][0-9_,]*)?\.?[0-9_]*(?:e[-+]?[0-9_]+)?$/i,
  /^[-+]?[0-9][0-9_]*(?::[0-9]{1,2})+(?:\.[0-9_]*)?$/,
  /^[-+]?\.(?:inf|nan)$/i,
  /^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:$|[Tt\s])/,
];

/** Characters that no YAML may contain, or that a reader takes for a line break. Escapes stand for them in double quotes. */
const unprintable = /(?![\t\n\r])[\p{Cc}\p{Cs}\u2028\u2029\ufeff\ufffe\uffff]/u;
const eachUnprintable = new RegExp(unprintable, 'gu');

export function hasUnprintable(text: string): boolean {
  return unprintable.test(text);
}

/** The content of double quotes. */
export function quoteDoubleYaml(text: string): string {
  // JSON's escapes are a part of YAML's (YAML 1.2, 5.7).
  return escapeUnprintable(JSON.stringify(text).slice(1, -1));
}

/** For YAML or JSON in which every such character is in double quotes. */
export function escapeUnprintable(text: string): string {
  return text.replace(eachUnprintable, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
