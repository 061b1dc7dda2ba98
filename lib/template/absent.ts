/* Names that templates for consul-template use and that this program does not have, and what to write instead. */

const vault = 'switchmaster does not read Vault: let Vault Agent write a file, and read it with file';
const nomad = 'switchmaster does not read Nomad: register the services in Consul, and use service';
const enterprise = 'switchmaster does not read what only Consul Enterprise has';
const write = 'a template only gives the text of its file';
const partial = 'write the part into a file beside the template whose name begins with _, and include it: {{> name}}';

const reasons: Readonly<Record<string, string>> = {
  secret: vault,
  secrets: vault,
  pkiCert: vault,
  nomadService: nomad,
  nomadServices: nomad,
  nomadVar: nomad,
  nomadVarExists: nomad,
  nomadVarList: nomad,
  nomadVarListSafe: nomad,
  partitions: enterprise,
  exportedServices: enterprise,
  importedServices: enterprise,
  plugin: `${write}: it runs no programs. Let a program write a key in Consul or a file`,
  writeToFile: `${write}: use one template for each file`,
  sockaddr: 'write the address into vars of the template',
  spew_dump: 'use toJSONPretty to see a value',
  spew_sdump: 'use toJSONPretty to see a value',
  spew_printf: 'use toJSONPretty to see a value',
  spew_sprintf: 'use toJSONPretty to see a value',
  executeTemplate: partial,
  template: partial,
  define: partial,
  block: partial,
  range: 'loop with {{#each list}} … {{/each}}',
  end: 'a block ends with its name, such as {{/each}}',
  html: 'values are escaped for the format of the file',
  js: 'values are escaped for the format of the file',
  byHand: 'switchmaster import left this to you: write what the comment before it describes',
  println: 'write the values one after another',
};

/** Why there is no helper of this name; undefined if the name is not one of consul-template's. */
export function describeAbsent(name: string): string | undefined {
  if (name.startsWith('sprig_')) return 'switchmaster does not have the functions of sprig';
  return Object.hasOwn(reasons, name) ? reasons[name] : undefined;
}
