import { type HelperCall, templateFailure, textArgument } from './helper.ts';

/** `path@dc`. */
export function splitDatacenter(text: string): { readonly path: string; readonly dc?: string } {
  if (/\?[\w-]+=[\w=&-]*(?:@[\w.-]+)?$/.test(text)) {
    throw templateFailure(`"${text}": namespaces, partitions and peers are settings of consul, not of a query.`);
  }
  const match = /^(.*)@([\w.-]+)$/s.exec(text);
  return match === null ? { path: text } : { path: match[1] ?? '', dc: match[2] ?? '' };
}

/** `@dc~node`, of which any part may be missing: the datacenter and the node by whose distance to sort. */
export function readPlace(call: HelperCall, position: number): { readonly dc?: string; readonly near?: string } {
  if (call.args[position] === undefined) return {};
  const text = textArgument(call, position);
  const [, dc, near] = /^(?:@([\w.-]+))?(?:~([\w.-]+))?$/.exec(text) ?? [];
  if (text !== '' && dc === undefined && near === undefined) {
    throw templateFailure('a datacenter is written "@name".');
  }
  return { ...(dc === undefined ? {} : { dc }), ...(near === undefined ? {} : { near }) };
}
