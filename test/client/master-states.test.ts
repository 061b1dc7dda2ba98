import t from 'tap';
import { MasterStates } from '../../lib/client/master-states.ts';

const well = {
  ip: '10.0.0.1',
  port: '6379',
  runid: 'a',
  flags: 'master',
  'config-epoch': '3',
  'last-ping-reply': '12',
};

const reply = (changes: Readonly<Record<string, string>> = {}) => Object.entries({ ...well, ...changes }).flat();

const named = (changes?: Readonly<Record<string, string>>) => new Map([['m', reply(changes)]]);

t.test('a master has changed if the list of all says something else of it than the last answer', async (t) => {
  const rows: Readonly<Record<string, readonly [Readonly<Record<string, string>>, boolean]>> = {
    'the age of its last reply is another': [{ 'last-ping-reply': '900' }, false],
    'the Sentinel sees it down': [{ flags: 'master,s_down,disconnected' }, true],
    'it has another address': [{ ip: '10.0.0.2' }, true],
    'another process answers there': [{ runid: 'b' }, true],
    'it has a newer epoch': [{ 'config-epoch': '4' }, true],
    'it has another number of replicas': [{ 'num-slaves': '1' }, true],
    'the Sentinel has another time-out': [{ 'down-after-milliseconds': '500' }, true],
  };
  for (const [what, [changes, isChanged]] of Object.entries(rows)) {
    const [listed, asked] = [new MasterStates(), new MasterStates()];
    listed.learn(named());
    asked.note('m', reply());
    for (const states of [listed, asked]) {
      t.equal(states.learn(named(changes)).has('m'), isChanged, what);
      t.notOk(states.learn(named(changes)).has('m'), `${what}, and that is known now`);
    }
  }
});

t.test('what a full reading has shown already is no change, and neither is a master that was not known', async (t) => {
  const states = new MasterStates();
  t.equal(states.learn(named()).size, 0, 'at first');
  states.note('m', reply({ 'config-epoch': '4' }));
  t.equal(states.learn(named({ 'config-epoch': '4' })).size, 0, 'read meanwhile');
  t.equal(states.learn(new Map()).size, 0, 'removed');
  t.equal(states.learn(named()).size, 0, 'and monitored again');
  t.equal(states.learn(new Map([['m', 'no list']])).size, 1, 'whatever a server answers');
});
