import type { ReloadSpec, TemplateSpec, VerifySpec } from '../../../model/template-spec.ts';

/** More would cost memory, and a change of master rarely runs more at once. */
const mostShells = 4;

/** As many shells as the templates have commands. */
export function poolSize(specs: readonly Pick<TemplateSpec, 'check' | 'reload' | 'verify'>[]): number {
  const commands = specs.map(
    ({ check, reload, verify }) => (check === undefined ? 0 : 1) + ofReload(reload) + ofVerify(verify),
  );
  return Math.min(
    mostShells,
    commands.reduce((sum, count) => sum + count, 0),
  );
}

function ofReload(reload: ReloadSpec | undefined): number {
  return reload?.kind === 'command' || reload?.kind === 'haproxy' ? 1 : 0;
}

function ofVerify(verify: VerifySpec | undefined): number {
  return verify?.probes.filter(({ kind }) => kind === 'command').length ?? 0;
}
