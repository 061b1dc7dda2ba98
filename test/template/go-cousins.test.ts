import t from 'tap';
import { renderText, textOf } from './world.ts';

/* What Go and consul-template write for values at the edge. */

const show = (expression: string, vars: Record<string, unknown> = {}) =>
  textOf(renderText({ text: `{{raw (${expression})}}`, vars }));

t.test('names of TOML that look like numbers stay, and numbers are written in full', (t) => {
  const toml = (json: string) => show('toTOML (parseJSON vars.json)', { json });
  t.equal(toml('{"a":[1,{"1e-500000000":1}]}'), 'a = [1.0, {1e-500000000 = 1.0}]');
  t.equal(toml('{"a":[1,{"rev1e-2":"x","1e5":1e-7}]}'), 'a = [1.0, {1e5 = 0.0000001, rev1e-2 = "x"}]');
  t.equal(
    toml('{"a":[-1.5e-7,1e21,"1e-7"],"1e-7":2.5e-9}'),
    '1e-7 = 0.0000000025\na = [-0.00000015, 1000000000000000000000.0, "1e-7"]',
  );
  t.end();
});

for (const [expression, expected] of [
  ['len (printf "%.255s" vars.long)', '255'],
  ['len (printf "%.255d" 1)', '255'],
  ['printf "%.0e|%.0e|%.1e|%.0e" 9.5 8.5 99.5 2.5', '1e+01|8e+00|1.0e+02|2e+00'],
  ['printf "%.1g|%.2g|%.1g" 9.5 99.5 8.5', '1e+01|1e+02|8'],
  [
    'printf "%f|%e|%g|%v|%6.1f|%06.1f|% f" vars.inf vars.inf vars.inf vars.inf vars.inf vars.inf vars.inf',
    '+Inf|+Inf|+Inf|+Inf|  +Inf|  +Inf| Inf',
  ],
  ['printf "%f|%+f|%05.1f" vars.nan vars.nan vars.nan', 'NaN|+NaN|  NaN'],
  ['urlquery vars.half', '%EF%BF%BD'],
] as const) {
  t.test(`(${expression}) is ${expected}`, async (t) => {
    const vars = { long: 'a'.repeat(300), inf: Number.POSITIVE_INFINITY, nan: Number.NaN, half: '\ud800' };
    t.equal(show(expression, vars), expected);
  });
}

t.test('what a helper cannot read is an error of the template', (t) => {
  t.match(show('base64Decode vars.x', { x: 'YWJj\u2028ZGVm' }), /not base64/);
  t.match(show('printf "%.101f" 1.5'), /has more than 100 digits/);
  t.match(show('printf "%.1001s" "a"'), /wider than 1000/);
  t.end();
});
