import t from 'tap';
import { kindConfiguredBy } from '../../lib/model/instance-kinds.ts';

t.test('the paths of a template name the kind of instance that it configures', async (t) => {
  const cases = [
    ['/usr/share/switchmaster/haproxy.cfg.hbs', '/srv/lb.cfg', 'haproxy'],
    ['/srv/lb.hbs', '/etc/HAProxy/lb.cfg', 'haproxy'],
    ['/srv/redis.yml.hbs', '/etc/nutcracker.yml', 'twemproxy'],
    ['/srv/twemproxy-stable.yml.hbs', '/srv/pools.yml', 'twemproxy'],
    ['/srv/app.env.hbs', '/etc/app/redis.env', undefined],
  ] as const;
  for (const [source, destination, kind] of cases) t.equal(kindConfiguredBy([source, destination]), kind, destination);
});
