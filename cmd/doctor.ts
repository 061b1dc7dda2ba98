import type { Command } from 'commander';
import type { Finding } from '../lib/doctor/rule.ts';
import { chooseConfig } from './config-paths.ts';
import type { ExitCode } from './exit-code.ts';
import { configOption, jsonOption } from './option.ts';
import { printJson, printLine, stripControls, styled } from './terminal.ts';

const help = `
The doctor reads from the Sentinels, every Redis that they name, and the Consul agent. It changes nothing.

Exit codes: 0 no faults, 1 faults, 2 an invalid config.

Example:
  $ switchmaster doctor --config /etc/switchmaster`;

export function addDoctor(program: Command, done: (code: ExitCode) => void): void {
  program
    .command('doctor')
    .description('Diagnose Sentinel, Redis and Consul problems and suggest fixes.')
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
  const { planAcl } = await import('../lib/model/acl/policy.ts');
  const { needsOf } = await import('./acl.ts');
  const config = await loadConfig({ paths: await chooseConfig(options.config), environment: process.env });
  const { planDnsAcl } = await import('../lib/model/acl/dns.ts');
  const needs = await needsOf(config);
  const findings = diagnose(await examine(config, { rules: planAcl(needs), dnsRules: planDnsAcl(needs) }));
  if (options.json === true) printJson({ findings });
  else printFindings(findings);
  return findings.length === 0 ? 0 : 1;
}

function printFindings(findings: readonly Finding[]): void {
  if (findings.length === 0) printLine(styled('green', 'No faults found.'));
  for (const { rule, severity, subject, text, hint } of findings) {
    const mark = styled(severity === 'critical' ? 'red' : 'yellow', severity);
    printLine(`${mark} ${styled('bold', stripControls(subject))}: ${stripControls(text)} (${rule})`);
    printLine(`  ${stripControls(hint)}`);
  }
}
