import type { NodeReport } from '@swell/shared/domain/report.ts';
import { expect, test } from 'vitest';
import { EMPTY_JOURNAL, newService, withJournal } from '../core/state.ts';
import { AgentMetrics } from './metrics.ts';

const self = { region: 'eu-west', node: 'n1', service: 'web' };
const clock = { monotonicMs: () => 0, wallMs: () => 0 };

function report(status: NodeReport['status'], attempt?: string): NodeReport {
  return { id: `7.${status}`, ...self, rollout: 7, status, ...(attempt !== undefined && { attempt }) };
}

test('every result is counted once, whatever is said after it; words on the way are none', async () => {
  const before = newService(self, EMPTY_JOURNAL);
  const metrics = new AgentMetrics('1.0.0', () => ({ isConnected: true, states: () => [before] }), clock);
  const outbox = [report('interrupted', '7.update.1'), report('refused')];
  const after = withJournal(before, { outbox, reports: 2 });
  metrics.handled(self, { kind: 'swap-undone' }, before, after);
  metrics.handled(
    self,
    { kind: 'report-stored', id: '7.interrupted' },
    after,
    withJournal(after, { outbox: outbox.slice(1) }),
  );
  const { values } = (await metrics.registry.getSingleMetric('swell_results_total')?.get()) ?? {};
  expect(values).toEqual([{ labels: { service: 'web', result: 'interrupted' }, value: 1 }]);
});

test('of an agent that acts no more nothing is told, as if it still did', async () => {
  const pulse = { atMs: 0, term: 1, wave: 1, halt: 0 };
  let states = [{ ...newService(self, EMPTY_JOURNAL), pulse }];
  const metrics = new AgentMetrics('1.0.0', () => ({ isConnected: true, states: () => states }), clock);
  const told = async (): Promise<readonly number[]> =>
    Promise.all(
      ['swell_service_phase', 'swell_reports_unsent', 'swell_pulse_age_seconds'].map(
        async (name) => (await metrics.registry.getSingleMetric(name)?.get())?.values.length ?? -1,
      ),
    );
  expect(await told()).toEqual([16, 1, 1]);
  states = [];
  expect(await told()).toEqual([0, 0, 0]);
});
