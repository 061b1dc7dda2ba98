import { access, constants } from 'node:fs/promises';
import path from 'node:path';
import { SwitchmasterError } from '../errors.ts';
import { withinDeadline } from '../file-system.ts';
import type { TemplateSpec } from '../model/template-spec.ts';
import { planListeners } from '../template/listeners.ts';
import { planPools } from '../template/pools.ts';
import { bundledTemplates, findBundled, isBundled } from './bundled.ts';
import { checkDestinations, type OwnFiles } from './destinations.ts';
import type { Resolution } from './resolution.ts';
import { findSimilar } from './similar.ts';
import type { RawTemplate } from './template-schema.ts';
import { resolveSettings } from './template-settings.ts';
import { describeUnreadable } from './unreadable.ts';

/** Each template with its paths made absolute and a name of its own. Two must not share a destination. */
export async function resolveTemplates(
  resolution: Resolution,
  given: { readonly raw: readonly RawTemplate[]; readonly ownFiles: OwnFiles },
): Promise<readonly TemplateSpec[]> {
  const templates: (TemplateSpec & { readonly index: number })[] = [];
  const owners = new Map<string, number>();
  for (const [i, entry] of given.raw.entries()) {
    const at = ['templates', i, 'destination'] as const;
    const destination = path.normalize(resolution.absolute(entry.destination, { at }));
    const owner = owners.get(destination);
    if (owner !== undefined) {
      const hint = 'give each template a file of its own';
      resolution.report({ at }, { message: `is templates[${owner}].destination too: ${destination}`, hint });
    } else {
      owners.set(destination, i);
    }
    const origin = await findOrigin(resolution, { raw: entry, index: i });
    const name = nameFor(destination, templates);
    const settings = await resolveSettings(resolution, { raw: entry, index: i, name });
    if (owner !== undefined || origin === undefined) continue;
    templates.push({ name, ...origin, destination, ...settings, index: i });
  }
  await checkDestinations(resolution, { templates, ownFiles: given.ownFiles });
  for (const template of templates) await checkSource(resolution, template);
  return templates.map(({ index: _, ...spec }) => spec);
}

async function checkSource(resolution: Resolution, template: TemplateSpec & { readonly index: number }): Promise<void> {
  const { compile } = resolution;
  if (compile === undefined) return;
  const report = (key: string) => (thrown: unknown) => {
    resolution.report({ at: ['templates', template.index, key] }, { message: SwitchmasterError.from(thrown).message });
  };
  await compile(template).catch(report(template.contents === undefined ? 'source' : 'contents'));
  await refuseSharedListeners(template).catch(report('vars'));
}

/** Throws `template-failed` where listeners of a bundled template would share an address, as its render would. */
async function refuseSharedListeners({ source, vars }: TemplateSpec): Promise<void> {
  const { ports, twemproxy_bind: reserved } = vars;
  const names = { stable: 'twemproxy-stable.yml.hbs', haproxy: 'haproxy.cfg.hbs', pools: 'twemproxy.yml.hbs' };
  if (isBundled(source, [names.haproxy])) planListeners({ masters: [], ports, reserved });
  if (isBundled(source, [names.stable])) planListeners({ masters: [], ports, reserved: undefined });
  if (isBundled(source, [names.pools])) planPools({ masters: [], vars });
}

/** A template in the config has its partials beside the config file, as a file has them beside itself. */
async function findOrigin(
  resolution: Resolution,
  { raw, index }: { readonly raw: RawTemplate; readonly index: number },
): Promise<Pick<TemplateSpec, 'source' | 'contents'> | undefined> {
  const { source: given, contents } = raw;
  if (given === undefined && contents !== undefined) {
    const file = resolution.fileOf({ at: ['templates', index, 'contents'] });
    return file === undefined ? undefined : { source: file, contents };
  }
  const source = await findSource(resolution, { source: given ?? '', index });
  if (raw.delimiters !== undefined && source !== undefined && (await findBundled(given ?? '')) === source)
    resolution.report(
      { at: ['templates', index, 'delimiters'] },
      {
        message: `has no effect: the bundled ${given} has braces`,
        hint: 'remove delimiters, or use a copy of the template',
      },
    );
  return source === undefined ? undefined : { source };
}

async function findSource(
  resolution: Resolution,
  given: { readonly source: string; readonly index: number },
): Promise<string | undefined> {
  const { source } = given;
  const setting = { at: ['templates', given.index, 'source'] };
  const bundled = await findBundled(source);
  if (bundled !== undefined) return bundled;
  const absolute = resolution.absolute(source, setting);
  try {
    await withinDeadline(absolute, () => access(absolute, constants.R_OK));
    return absolute;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ETIMEDOUT') {
      resolution.report(setting, describeUnreadable(absolute, thrown));
      return undefined;
    }
    const similar = source.includes('/') ? undefined : findSimilar(source, await bundledTemplates());
    const hint =
      similar === undefined ? `bundled: ${(await bundledTemplates()).join(', ')}` : `did you mean ${similar}?`;
    resolution.report(setting, { message: `there is no readable ${absolute}, and none is bundled by this name`, hint });
    return undefined;
  }
}

/** The destination's file name; where another template has it already, with its folders before it, or the whole path. */
function nameFor(destination: string, others: readonly TemplateSpec[]): string {
  const taken = new Set(others.map((template) => template.name));
  const steps = destination.split('/').filter((step) => step !== '');
  for (let count = 1; count <= steps.length; count += 1) {
    const name = steps.slice(-count).join('~');
    if (!taken.has(name)) return name;
  }
  return destination;
}
