/** One verb of a format, such as `%-8.3f`. */
export interface Verb {
  /** As it is written, for messages. */
  readonly whole: string;
  readonly flags: string;
  readonly width: number;
  readonly precision: number | undefined;
  readonly letter: string;
}

export function signOf(negative: boolean, { flags }: Verb): string {
  if (negative) return '-';
  return flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '';
}

/** To the width. Zeros come after the sign of a floating-point number; before anything else. */
export function pad(text: string, { flags, width, letter }: Verb): string {
  // A character has two code units at most. A text of megabytes is not counted.
  if (text.length >= width * 2) return text;
  const missing = width - [...text].length;
  if (missing <= 0) return text;
  if (flags.includes('-')) return text + ' '.repeat(missing);
  if (!flags.includes('0')) return ' '.repeat(missing) + text;
  const [, sign = '', rest = ''] = 'vfFeEgG'.includes(letter) ? (/^([+ -]?)(.*)$/s.exec(text) ?? []) : ['', '', text];
  return sign + '0'.repeat(missing) + rest;
}
