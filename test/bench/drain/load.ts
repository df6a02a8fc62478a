/** The program that makes the load: in a process of its own, so that what measures is not what is measured. */

import { Requests } from '../../support/traffic/requests.ts';
import type { LoadAnswer, LoadQuestion } from './load-process.ts';

const [port = 0, connections = 0, everyMs = 0] = process.argv.slice(2).map(Number);
const requests = await Requests.open({ port, connections, everyMs });

process.on('message', (question: LoadQuestion) => {
  if (question === 'count') tell({ kind: 'counted', count: requests.count });
  else {
    const { latencies, ...tally } = requests.take();
    tell({ kind: 'taken', tally: { ...tally, latencies: latencies.entries() } });
  }
});
tell({ kind: 'open' });

function tell(answer: LoadAnswer): void {
  process.send?.(answer);
}
