import t, { type Test } from 'tap';
import { loadConfig } from '../../lib/config/load.ts';

function load(t: Test, name: string) {
  return loadConfig({ paths: [`${t.testdir({ 'c.yml': `environment: ${name}\n` })}/c.yml`], environment: {} });
}

t.test('an environment is no folder of keys of daemons without one, no role and no kind of proxy', async (t) => {
  const refusals = {
    record: /environment: is the name of a folder of keys below redis\/; choose another/,
    maintenance: /environment: is the name of a folder/,
    'maintenance-eu': /environment: begins with maintenance, as keys below redis\/ do; choose another/,
    maintenance2: /environment: begins with maintenance/,
    replica: /environment: is a tag that services have for their role or kind; choose another/,
    haproxy: /environment: is a tag/,
  };
  for (const [name, message] of Object.entries(refusals)) await t.rejects(load(t, name), { message }, name);
  for (const name of ['eu', 'records', 'eu-maintenance']) t.equal((await load(t, name)).environment, name);
});
