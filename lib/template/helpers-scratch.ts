import { type HelperCall, type HelperDefinition, templateFailure, textArgument } from './helper.ts';
import { sortedObject } from './ordered.ts';

/** Helpers that keep values for the rest of the render, under consul-template's names. */
export const scratchHelpers: Readonly<Record<string, HelperDefinition>> = {
  'scratch.Key': {
    kind: 'value',
    takes: [1, 1],
    usage: '(scratch.Key "name")',
    run: (call) => call.scope.scratch.has(textArgument(call, 0)),
  },
  'scratch.Get': {
    kind: 'value',
    takes: [1, 1],
    usage: '(scratch.Get "name")',
    run(call) {
      const value = call.scope.scratch.get(textArgument(call, 0));
      return value instanceof Map ? sortedObject(value) : value;
    },
  },
  'scratch.Set': setter('scratch.Set', 'replace'),
  'scratch.SetX': setter('scratch.SetX', 'keep'),
  'scratch.MapSet': mapSetter('scratch.MapSet', 'replace'),
  'scratch.MapSetX': mapSetter('scratch.MapSetX', 'keep'),
  'scratch.MapValues': {
    kind: 'value',
    takes: [1, 1],
    usage: '(scratch.MapValues "name")',
    run(call) {
      const value = call.scope.scratch.get(textArgument(call, 0));
      return value instanceof Map ? Object.values(sortedObject(value)) : [];
    },
  },
};

/** What is there already stays with `keep`. A setter prints nothing. */
type Which = 'replace' | 'keep';

function setter(name: string, which: Which): HelperDefinition {
  const run = (call: HelperCall) => {
    const [key, { scratch }] = [textArgument(call, 0), call.scope];
    if (which === 'replace' || !scratch.has(key)) scratch.set(key, call.args[1]);
    return '';
  };
  return { kind: 'value', takes: [2, 2], usage: `{{${name} "name" value}}`, typed: true, prints: 'nothing', run };
}

function mapSetter(name: string, which: Which): HelperDefinition {
  const run = (call: HelperCall) => {
    const [key, field, { scratch }] = [textArgument(call, 0), textArgument(call, 1), call.scope];
    const map = scratch.get(key) ?? new Map<string, unknown>();
    if (!(map instanceof Map)) throw templateFailure(`"${key}" holds a value that is not a map.`);
    if (which === 'replace' || !map.has(field)) map.set(field, call.args[2]);
    scratch.set(key, map);
    return '';
  };
  return {
    kind: 'value',
    takes: [3, 3],
    usage: `{{${name} "name" "field" value}}`,
    typed: true,
    prints: 'nothing',
    run,
  };
}
