import { describeAbsent } from '../../template/absent.ts';
import type { GoCommand, GoExpression, GoPipeline } from '../go/syntax.ts';
import { isHelper, isKnownFunction, resultOf, takesSubjectLast, writers } from './functions.ts';
import { writeNumber, writeText } from './literal.ts';
import { type Scope, Untranslatable, type Value } from './scope.ts';
import { describeShape, fieldOf, hasOtherNames, type Shape } from './shapes.ts';

/** Throws `Untranslatable`. Whatever the pipeline sets is for the caller. */
export function translatePipeline({ commands }: GoPipeline, scope: Scope): Value {
  let value: Value | undefined;
  for (const command of commands) value = translateCommand(command, { scope, piped: value });
  if (value === undefined) throw new Untranslatable('the value is missing', 'write the value');
  return value;
}

interface CommandPlace {
  readonly scope: Scope;
  /** The result of the command before. */
  readonly piped: Value | undefined;
}

function translateCommand([first, ...rest]: GoCommand, { scope, piped }: CommandPlace): Value {
  if (first === undefined) throw new Untranslatable('the value is missing', 'write the value');
  const args = [...rest.map((one) => translateExpression(one, scope)), ...(piped === undefined ? [] : [piped])];
  const name = functionName(first);
  if (name !== undefined) return call(name, args);
  if (args.length === 0) return translateExpression(first, scope);
  return translateMethod(first, { args, scope });
}

/** `service`, or `scratch.Set`. */
function functionName(expression: GoExpression): string | undefined {
  if (expression.kind === 'function') return expression.name;
  if (expression.kind !== 'chain' || expression.of.kind !== 'function' || expression.of.name !== 'scratch')
    return undefined;
  return `scratch.${expression.names.join('.')}`;
}

/** `.Tags.Contains "x"`, the only method of consul-template that takes arguments. */
function translateMethod(
  first: GoExpression,
  { args, scope }: { readonly args: readonly Value[]; readonly scope: Scope },
): Value {
  const names = 'names' in first ? first.names : [];
  const [arg] = args;
  if (names.at(-1) === 'Contains' && arg !== undefined && args.length === 1 && 'names' in first) {
    const list = translateExpression({ ...first, names: names.slice(0, -1) } as GoExpression, scope);
    return { code: `(in ${list.code} ${arg.code})`, shape: 'plain', kind: 'call' };
  }
  throw new Untranslatable(
    'a value is called as a function',
    'write it with the helpers of docs/reference/templates.md',
  );
}

export function translateExpression(expression: GoExpression, scope: Scope): Value {
  switch (expression.kind) {
    case 'text':
      return {
        code: writeText(expression.value),
        shape: 'plain',
        kind: expression.value.endsWith('\\') ? 'call' : 'literal',
      };
    case 'number': {
      const code = writeNumber(expression.written);
      if (code === undefined)
        throw new Untranslatable(`${expression.written} has an exponent`, 'write the number in full');
      return { code, shape: 'plain', kind: 'literal' };
    }
    case 'boolean':
      return { code: String(expression.value), shape: 'plain', kind: 'literal' };
    case 'nil':
      throw new Untranslatable('there is no nil', 'test the value with #if');
    case 'dot':
      return used(scope.dot);
    case 'field':
      return fields(scope.dot, { names: expression.names, scope });
    case 'variable':
      return fields(variable(expression.name, scope), { names: expression.names, scope });
    case 'function':
      return call(expression.name, []);
    case 'pipeline':
      if (expression.pipeline.sets.length > 0)
        throw new Untranslatable('a variable is set within parentheses', 'set it in an action of its own');
      return translatePipeline(expression.pipeline, scope);
    case 'chain': {
      const name = functionName(expression);
      if (name !== undefined) return call(name, []);
      return fields(translateExpression(expression.of, scope), { names: expression.names, scope });
    }
  }
}

function variable(name: string, { variables }: Scope): Value {
  const value = variables.get(name);
  if (value === undefined) throw new Untranslatable(`$${name} is not set here`, 'set it in an imported part');
  return value;
}

function used(value: Value): Value {
  if (value.shape !== 'nothing') return value;
  throw new Untranslatable(
    'there is no value: at its top, a template of consul-template has none',
    'write what it should be',
  );
}

function fields(of: Value, { names, scope }: { readonly names: readonly string[]; readonly scope: Scope }): Value {
  return names.reduce((value, name) => field(value, { name, scope }), used(of));
}

export function field(of: Value, { name, scope }: { readonly name: string; readonly scope: Scope }): Value {
  const found = fieldOf(of.shape, name);
  if (found === undefined) {
    throw new Untranslatable(
      `${describeShape(of.shape)} has no field ${name} that switchmaster knows`,
      'find the field in docs/reference/templates.md, and write it',
    );
  }
  const [our, shape] = found;
  if (our === '') return { ...of, shape };
  if (our.startsWith('(')) return { code: our, shape, kind: 'call' };
  return orZero(of.shape, fieldValue(of, { our, shape, scope }));
}

function fieldValue(
  of: Value,
  { our, shape, scope }: { readonly our: string; readonly shape: Shape; readonly scope: Scope },
): Value {
  if (of.kind !== 'path' || /^(?:true|false|null|undefined|as|this)$/.test(our))
    return { code: `(lookup ${of.code} ${writeText(our)})`, shape, kind: 'call' };
  const isBare = of.code === 'this' && !isHelper(our) && !scope.params.has(our) && our !== 'else';
  return { code: isBare ? our : `${of.code}.${our}`, shape, kind: 'path' };
}

/** What a map of Go gives for a key that it does not have. */
function orZero(of: Shape, value: Value): Value {
  if (typeof of !== 'object' || !('map' in of)) return value;
  const zero = zeroOf(of.map);
  return zero === undefined ? value : { ...value, code: `(default ${value.code} ${zero})`, kind: 'call' };
}

function zeroOf(shape: Shape): string | undefined {
  if (shape === 'plain') return '""';
  if (typeof shape === 'string' || 'record' in shape) return undefined;
  return 'list' in shape ? '(split "," "")' : '(parseJSON "{}")';
}

function call(name: string, args: readonly Value[]): Value {
  if (!isKnownFunction(name)) {
    const why = describeAbsent(name);
    if (why === undefined)
      throw new Untranslatable(`there is no helper ${name}`, 'use the helpers of docs/reference/templates.md');
    throw new Untranslatable(`there is no helper ${name}`, why);
  }
  for (const { shape } of args) {
    if (writers.has(name) && hasOtherNames(shape))
      throw new Untranslatable(
        `${name} would write other names of fields`,
        'write the fields one by one, and use toJSON for each text',
      );
  }
  const codes = args.map(({ code }) => code);
  const last = args.at(-1);
  const isReversed = args.length > 1 && args[0]?.kind !== 'literal' && last?.kind === 'literal';
  // A literal in the last place is refused there, as the order of arguments of earlier versions.
  if (takesSubjectLast(name) && isReversed && last !== undefined) codes.splice(-1, 1, `(print ${last.code})`);
  const shape = resultOf(
    name,
    args.map((arg) => arg.shape),
  );
  const value: Value = { code: `(${[name, ...codes].join(' ')})`, shape, kind: 'call' };
  const [first] = args;
  return name === 'index' && args.length === 2 && first !== undefined ? orZero(first.shape, value) : value;
}
