import { expect, test } from 'vitest';
import { createMetricsRegistry } from './metrics.ts';

test('two programs in one process keep their metrics apart', async () => {
  const coordinator = createMetricsRegistry({ version: '1.2.3', component: 'coordinator' });
  const agent = createMetricsRegistry({ version: '1.2.4', component: 'agent' });
  expect(await coordinator.getSingleMetricAsString('swell_build_info')).toContain(
    'swell_build_info{version="1.2.3",component="coordinator"} 1',
  );
  expect(await agent.getSingleMetricAsString('swell_build_info')).toContain(
    'swell_build_info{version="1.2.4",component="agent"} 1',
  );
});

test("the process's own metrics are there from the start", async () => {
  const text = await createMetricsRegistry({ version: '1.2.3', component: 'agent' }).metrics();
  expect(text).toContain('process_resident_memory_bytes');
  expect(text).toContain('nodejs_eventloop_lag_seconds');
});
