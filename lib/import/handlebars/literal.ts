/** A text as Handlebars takes it. Its only escape is that of the quote itself, so a backslash at the end needs `printf`. */
export function writeText(value: string): string {
  if (value.endsWith('\\')) return `(printf "%s%c" ${writeText(value.slice(0, -1))} 92)`;
  if (!value.includes('"')) return `"${value}"`;
  if (!value.includes("'")) return `'${value}'`;
  return `"${value.replaceAll('"', '\\"')}"`;
}

/** A number as Handlebars takes it; undefined for one that it cannot write. */
export function writeNumber(written: string): string | undefined {
  const plain = written.replaceAll('_', '').replace(/^\+/, '');
  const negative = plain.startsWith('-');
  const digits = negative ? plain.slice(1) : plain;
  const octal = /^0[0-7]+$/.test(digits) ? `0o${digits}` : digits;
  if (/^(?:0[xXbBoO][\da-fA-F]+|\d+)$/.test(octal)) return `${negative ? '-' : ''}${BigInt(octal.toLowerCase())}`;
  const value = Number(digits);
  if (!Number.isFinite(value)) return undefined;
  const shown = String(value);
  if (shown.includes('e')) return undefined;
  return `${negative ? '-' : ''}${shown.includes('.') ? shown : `${shown}.0`}`;
}
