import t, { type Test } from 'tap';
import { AgentProbe, type AgentProbeOptions, type AgentState } from '../../lib/consul/agent-probe.ts';
import { SwitchmasterError } from '../../lib/errors.ts';
import { waitFor } from '../sandbox/condition.ts';

const away = new SwitchmasterError('consul-unreachable', 'timed out');
const limits = { everyMs: 1, silentMs: 20 };

/** A probe of an agent that does what `ask` does, and the states that it reports. */
function probe(
  t: Test,
  ask: () => Promise<unknown>,
  options: Pick<AgentProbeOptions, 'heardMs' | 'limits'> = { limits },
) {
  const states: AgentState[] = [];
  let asked = 0;
  const one = new AgentProbe({
    ask: () => {
      asked += 1;
      return ask();
    },
    onChange: (state) => states.push(state),
    ...options,
  });
  t.teardown(() => one.stop());
  void one.run();
  return { states, asked: () => asked, until: (count: number) => waitFor('states', () => states.length >= count) };
}

t.test(
  'an agent that answers nothing is silent since the first request without an answer, until it answers',
  async (t) => {
    let answers = false;
    const { states, until } = probe(t, () => (answers ? Promise.resolve('leader') : Promise.reject(away)));
    await until(1);
    t.match(states, [{ kind: 'silent', error: { message: 'timed out' } }]);
    const [state] = states;
    t.ok(state?.kind === 'silent' && state.silentMs >= limits.silentMs);
    answers = true;
    await until(2);
    t.match(states[1], { kind: 'answering' });
  },
);

t.test('an error is an answer too: others report what Consul refuses', async (t) => {
  const refusal = new SwitchmasterError('consul-denied', 'no');
  const { states, asked } = probe(t, () => Promise.reject(refusal));
  await waitFor('requests', () => asked() > 40);
  t.strictSame(states, []);
});

t.test('an agent whose servers answered another request a moment ago is not asked', async (t) => {
  const often = { everyMs: 40, silentMs: 60 };
  let isHeard = true;
  let lastMs = performance.now();
  const heardMs = () => {
    if (isHeard) lastMs = performance.now() - 5;
    return lastMs;
  };
  const beganMs = performance.now();
  const { states, asked } = probe(t, () => Promise.reject(away), { limits: often, heardMs });
  await waitFor('the time of several requests', () => performance.now() - beganMs > 5 * often.everyMs);
  t.equal(asked(), 0);
  t.strictSame(states, []);

  isHeard = false;
  await waitFor('a silent agent', () => states.length > 0);
  t.ok(asked() > 0);
  t.ok(
    performance.now() - lastMs >= often.everyMs + often.silentMs,
    'it has the time of an agent that is always asked',
  );
  isHeard = true;
  await waitFor('an answer to another request', () => states.length > 1);
  t.match(states[1], { kind: 'answering' });
});
