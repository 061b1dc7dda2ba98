#!/usr/bin/env node
// Installs what this project's commands need: npm packages, Redis, twemproxy, HAProxy, dig, Chromium, Consul. Plain
// JavaScript without dependencies, because it runs before there are any, on any Node that the machine has. It is silent and
// quick when nothing is missing. Usage: node setup/bootstrap.mjs [--with NAMES] [--try NAMES]. NAMES, separated by commas, are
// the keys of `editions` (editions.mjs) and `extraPrograms` (packages.mjs): other editions of the servers, more programs, and
// client libraries. The bootstrap continues without a name of --try that cannot be fetched.
import { settle } from './command.mjs';
import { hasConsul, unpackConsul } from './consul.mjs';
import { hasEdition, parseEditions, unpackEdition } from './editions.mjs';
import { alone } from './lock.mjs';
import { BootstrapError, say } from './log.mjs';
import {
  bindingsToInstall,
  buildTestRunner,
  installBindings,
  installModules,
  modulesCurrent,
  testRunnerCurrent,
} from './modules.mjs';
import { extraPrograms, installPackages, missingPrograms } from './packages.mjs';
import { policyLeft, restorePolicy } from './services.mjs';

const usage = 'usage: bootstrap.mjs [--with NAME,NAME] [--try NAME,NAME]';

const commonSteps = [
  { needed: policyLeft, take: async () => restorePolicy() },
  { needed: () => !modulesCurrent(), take: installModules },
  { needed: () => bindingsToInstall().length > 0, take: installBindings },
  { needed: () => !testRunnerCurrent(), take: buildTestRunner },
  { needed: () => missingPrograms().length > 0, take: () => installPackages(missingPrograms()) },
  { needed: () => !hasConsul(), take: unpackConsul },
];

async function main(args) {
  const steps = [...commonSteps, ...editionSteps(args)];
  if (!steps.some((step) => step.needed())) return;
  await alone(async () => {
    const failures = [];
    for (const step of steps) {
      // Every step is tried, so that one run reports everything that is missing.
      if (step.needed()) await step.take().catch((error) => failures.push(error));
    }
    if (failures.length > 0) throw failures.length === 1 ? failures[0] : joined(failures);
  });
  say('ready');
}

function editionSteps(args) {
  const steps = { '--with': (_, take) => take(), '--try': tryTo };
  const pairs = args.flatMap((option, i) => (i % 2 === 0 ? [[option, args[i + 1] ?? '']] : []));
  return pairs.flatMap(([option, names]) => {
    const step = steps[option];
    if (step === undefined || names === '') throw new BootstrapError(usage);
    const [extra, others] = split(names.split(','), (name) => Object.hasOwn(extraPrograms, name));
    const missing = (name) => missingPrograms(extraPrograms[name]);
    return [
      ...extra.map((name) => ({
        needed: () => missing(name).length > 0,
        take: () => step(name, () => installPackages(missing(name))),
      })),
      ...parseEditions(others.join(',')).map((name) => ({
        needed: () => !hasEdition(name),
        take: () => step(name, () => unpackEdition(name)),
      })),
    ];
  });
}

function split(names, isFirst) {
  return [names.filter(isFirst), names.filter((name) => !isFirst(name))];
}

/** Tests against a missing edition use what is installed, so that a machine without a Debian mirror can run them. */
async function tryTo(name, take) {
  await take().catch((error) => {
    if (!(error instanceof BootstrapError)) throw error;
    say(`continues without ${name}: ${error.message.trim().split('\n').at(-1)}`);
  });
}

function joined(failures) {
  const unexpected = failures.find((error) => !(error instanceof BootstrapError));
  return unexpected ?? new BootstrapError(failures.map((error) => error.message).join('\n\n'));
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  // Ctrl-C reaches apt too, which is in our process group. It gets time to end, so that dpkg does not stop half-way.
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
