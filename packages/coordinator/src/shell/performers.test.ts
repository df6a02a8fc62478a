import type { Bus } from '@swell/shared/adapters/bus.ts';
import { systemHost } from '@swell/shared/adapters/host.ts';
import type { Registry } from '@swell/shared/adapters/registry.ts';
import type { GateAnswer } from '@swell/shared/domain/gate.ts';
import { expect, test } from 'vitest';
import type { QueryAnswer } from '../adapters/prometheus.ts';
import type { GateQuestion } from '../core/limits/gate-watch.ts';
import { perform } from './performers.ts';
import { TagLooks } from './tag-looks.ts';

const NO_BUS = {} as Bus;
const QUESTION: GateQuestion = {
  kind: 'ask-gate',
  asking: { rollout: 7, group: 0, percent: 50, sinceMs: 0, gate: 'errors', number: 3 },
  query: 'updated',
};

const NOBODY_ASKED: Registry = {
  resolve: () => expect.fail('nobody asks the registry'),
  look: () => expect.fail('nobody asks the registry'),
};

/** What comes of a question, where Prometheus answers so; without any where there is none. */
async function answered(
  question: GateQuestion,
  answers?: Readonly<Record<string, QueryAnswer>>,
): Promise<GateAnswer | undefined> {
  const heard: GateAnswer[] = [];
  await perform(question, {
    service: 'web',
    term: 1,
    bus: NO_BUS,
    registry: NOBODY_ASKED,
    looks: new TagLooks({ host: systemHost, registry: NOBODY_ASKED }),
    ...(answers !== undefined && {
      prometheus: { query: async (query) => answers[query] ?? { is: 'none', why: `not asked: ${query}` } },
    }),
    host: systemHost,
    signal: new AbortController().signal,
    post(event) {
      if (event.kind === 'gate-answered' && event.asking === question.asking) heard.push(event.answer);
    },
  });
  expect(heard).toHaveLength(1);
  return heard[0];
}

test('N10: a coordinator that knows no Prometheus says so, and what to do', async () => {
  expect(await answered(QUESTION)).toEqual({
    is: 'none',
    why: 'this coordinator knows no Prometheus (SWELL_PROMETHEUS_URL)',
  });
});

test('a gate that compares asks of the others too, and an answer is one only with both', async () => {
  const both: GateQuestion = { ...QUESTION, others: 'others' };
  const updated: QueryAnswer = { is: 'value', value: 2 };
  const none: QueryAnswer = { is: 'none', why: 'no data' };
  expect(await answered(QUESTION, { updated })).toEqual({ is: 'value', value: 2 });
  expect(await answered(both, { updated, others: { is: 'value', value: 1 } })).toEqual({
    is: 'value',
    value: 2,
    others: 1,
  });
  expect(await answered(both, { updated, others: none })).toEqual({
    is: 'none',
    why: 'of the nodes that are not updated: no data',
  });
  expect(await answered(both, { updated: none, others: updated })).toEqual(none);
});
