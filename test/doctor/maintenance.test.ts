import t from 'tap';
import { diagnose } from '../../lib/doctor/diagnose.ts';
import { healthy, maintained } from './world.ts';

t.test('the doctor names who ordered maintenance, and the command that ends it', async (t) => {
  const [{ name = '' } = {}] = healthy.masters;
  t.match(diagnose(maintained(name, '{"by": "ops@db1", "reason": "kernel"}')), [
    {
      rule: 'maintenance',
      severity: 'warning',
      subject: name,
      text: `${name} is in maintenance: by ops@db1, without an end (kernel). Bridges order nothing`,
      hint: `When the work is done: switchmaster maintenance off ${name}`,
    },
  ]);
  t.match(diagnose(maintained(null, 'yes')), [{ subject: 'consul', text: /cannot be read/, hint: /maintenance off$/ }]);
});

t.test('the maintenance of a master that these Sentinels do not monitor is no fault of this setup', async (t) => {
  t.strictSame(diagnose(maintained('elsewhere', '{}')), []);
});
