import type { Command } from 'commander';
import type { Finding } from '../lib/model/examination.ts';
import type { ExitCode } from './exit-code.ts';
import { configOption, jsonOption } from './option.ts';
import { harmless, printJson, printLine, styled } from './terminal.ts';

const help = `
It asks the Sentinels, every Redis that they name, and the Consul agent; it changes nothing.

Exit codes: 0 nothing bites, 1 something does, 2 a config that cannot be used.

Example:
  $ switchmaster doctor --config /etc/switchmaster`;

export function addDoctor(program: Command, done: (code: ExitCode) => void): void {
  program
    .command('doctor')
    .description('Find what bites in Sentinels, Redis and Consul, and tell the way out.')
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText('after', help)
    .action(async (options: { config: readonly string[]; json?: true }) => {
      done(await callDoctor(options));
    });
}

async function callDoctor(options: { readonly config: readonly string[]; readonly json?: true }): Promise<ExitCode> {
  const { loadConfig } = await import('../lib/config/load.ts');
  const { examine } = await import('../lib/doctor/examine.ts');
  const { diagnose } = await import('../lib/doctor/diagnose.ts');
  const { planAcl } = await import('../lib/doctor/acl.ts');
  const { needsOf } = await import('./acl.ts');
  const config = await loadConfig({ paths: options.config, environment: process.env });
  const findings = diagnose(await examine(config, planAcl(await needsOf(config))));
  if (options.json === true) printJson({ findings });
  else printFindings(findings);
  return findings.length === 0 ? 0 : 1;
}

function printFindings(findings: readonly Finding[]): void {
  if (findings.length === 0) printLine(styled('green', 'Nothing bites.'));
  for (const { rule, severity, subject, says, wayOut } of findings) {
    const mark = styled(severity === 'critical' ? 'red' : 'yellow', severity);
    printLine(`${mark} ${styled('bold', harmless(subject))}: ${harmless(says)} (${rule})`);
    printLine(`  ${harmless(wayOut)}`);
  }
}
