/*
 * Go writes a format of times as that time which is 1, 2, 3, 4, 5, 6 in this order: `Mon Jan 2 15:04:05 2006`. Times are in UTC.
 */

type Part = (time: Date) => string;

const months = 'January February March April May June July August September October November December'.split(' ');
const days = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ');

const two = (number: number): string => String(number).padStart(2, '0');
const hour12 = (time: Date): number => time.getUTCHours() % 12 || 12;

const parts: Readonly<Record<string, Part>> = {
  '2006': (time) => String(time.getUTCFullYear()),
  '06': (time) => two(time.getUTCFullYear() % 100),
  January: (time) => months[time.getUTCMonth()] ?? '',
  Jan: (time) => (months[time.getUTCMonth()] ?? '').slice(0, 3),
  '01': (time) => two(time.getUTCMonth() + 1),
  '1': (time) => String(time.getUTCMonth() + 1),
  Monday: (time) => days[time.getUTCDay()] ?? '',
  Mon: (time) => (days[time.getUTCDay()] ?? '').slice(0, 3),
  '002': (time) => String(dayOfYear(time)).padStart(3, '0'),
  '02': (time) => two(time.getUTCDate()),
  __2: (time) => String(dayOfYear(time)).padStart(3, ' '),
  _2006: (time) => `_${time.getUTCFullYear()}`,
  _2: (time) => String(time.getUTCDate()).padStart(2, ' '),
  '2': (time) => String(time.getUTCDate()),
  '15': (time) => two(time.getUTCHours()),
  '03': (time) => two(hour12(time)),
  '3': (time) => String(hour12(time)),
  '04': (time) => two(time.getUTCMinutes()),
  '4': (time) => String(time.getUTCMinutes()),
  '05': (time) => two(time.getUTCSeconds()),
  '5': (time) => String(time.getUTCSeconds()),
  PM: (time) => (time.getUTCHours() < 12 ? 'AM' : 'PM'),
  pm: (time) => (time.getUTCHours() < 12 ? 'am' : 'pm'),
  MST: () => 'UTC',
  'Z07:00:00': () => 'Z',
  Z070000: () => 'Z',
  'Z07:00': () => 'Z',
  Z0700: () => 'Z',
  Z07: () => 'Z',
  '-07:00:00': () => '+00:00:00',
  '-070000': () => '+000000',
  '-07:00': () => '+00:00',
  '-0700': () => '+0000',
  '-07': () => '+00',
};

/** The longest that fits comes first. */
const pattern = new RegExp(
  `${Object.keys(parts)
    .sort((a, b) => b.length - a.length)
    .join('|')}|[.,](?:0+|9+)(?!\\d)`,
  'g',
);

export function formatGoDate(time: Date, layout: string): string {
  return layout.replace(pattern, (part) => parts[part]?.(time) ?? fraction(time, part));
}

/** RFC 3339, in seconds. */
export function formatTimestamp(time: Date): string {
  return formatGoDate(time, '2006-01-02T15:04:05Z07:00');
}

/** `.000` has all digits, `.999` no zeros at the end. */
function fraction(time: Date, part: string): string {
  const digits = String(time.getUTCMilliseconds())
    .padStart(3, '0')
    .padEnd(part.length, '0')
    .slice(0, part.length - 1);
  if (part[1] === '0') return part.charAt(0) + digits;
  const significant = digits.replace(/0+$/, '');
  return significant === '' ? '' : part.charAt(0) + significant;
}

function dayOfYear(time: Date): number {
  return Math.floor((time.getTime() - Date.UTC(time.getUTCFullYear(), 0, 0)) / 86_400_000);
}
