#!/usr/bin/env node
// Brings a machine to where this project's commands run: npm packages, Redis, twemproxy, HAProxy, dig, Chromium,
// Consul.
// Plain JavaScript without dependencies, for it runs before there are any, on whatever Node the machine has.
// Silent and quick when nothing is missing. Usage: node setup/bootstrap.mjs [--with redis8,valkey,haproxy3]
import { settle } from './command.mjs';
import { hasConsul, unpackConsul } from './consul.mjs';
import { hasEdition, parseEditions, unpackEdition } from './editions.mjs';
import { BootstrapError, say } from './log.mjs';
import { buildTestRunner, installModules, modulesCurrent, testRunnerCurrent } from './modules.mjs';
import { installPackages, missingPrograms } from './packages.mjs';
import { policyLeft, restorePolicy } from './services.mjs';
import { inTurn } from './turn.mjs';

const commonSteps = [
  { needed: policyLeft, take: async () => restorePolicy() },
  { needed: () => !modulesCurrent(), take: installModules },
  { needed: () => !testRunnerCurrent(), take: buildTestRunner },
  { needed: () => missingPrograms().length > 0, take: () => installPackages(missingPrograms()) },
  { needed: () => !hasConsul(), take: unpackConsul },
];

async function main(args) {
  const steps = [...commonSteps, ...editionSteps(args)];
  if (!steps.some((step) => step.needed())) return;
  await inTurn(async () => {
    const failures = [];
    for (const step of steps) {
      // Every step is tried, so that one run tells everything that is missing.
      if (step.needed()) await step.take().catch((error) => failures.push(error));
    }
    if (failures.length > 0) throw failures.length === 1 ? failures[0] : joined(failures);
  });
  say('ready');
}

function editionSteps(args) {
  if (args.length === 0) return [];
  if (args.length !== 2 || args[0] !== '--with') throw new BootstrapError('usage: bootstrap.mjs [--with NAME,NAME]');
  return parseEditions(args[1]).map((name) => ({ needed: () => !hasEdition(name), take: () => unpackEdition(name) }));
}

function joined(failures) {
  const unexpected = failures.find((error) => !(error instanceof BootstrapError));
  return unexpected ?? new BootstrapError(failures.map((error) => error.message).join('\n\n'));
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  // apt, in our process group, gets Ctrl-C too; it is given the time to end, so that dpkg is not left half-way.
  process.once(signal, () =>
    settle()
      .then(restorePolicy)
      .finally(() => process.exit(130)),
  );
}

main(process.argv.slice(2)).catch((error) => {
  say(error instanceof BootstrapError ? error.message : error.stack);
  process.exitCode = 1;
});
