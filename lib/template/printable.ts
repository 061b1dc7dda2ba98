import { atSite } from './budget.ts';
import { Markup, type PrintedValue, type PrintSite } from './format.ts';
import { describeValue, templateFailure } from './helper.ts';
import { Float } from './number.ts';

/** A value as formats write it. Throws `template-failed` for one that cannot be printed. */
export function printable(value: unknown, site: PrintSite): PrintedValue {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      if (Number.isFinite(value)) return value;
      break;
    case 'bigint':
      // Digits without quotes in any format.
      return new Markup('json', String(value));
    default:
      if (value instanceof Markup) return value;
      if (value instanceof Float) return value.value;
  }
  const hint = typeof value === 'object' && value !== null ? ' Use {{#each}}, a field of it, or toJSON.' : '';
  throw atSite(site, templateFailure(`there is no value to print: it is ${describeValue(value)}.${hint}`));
}
