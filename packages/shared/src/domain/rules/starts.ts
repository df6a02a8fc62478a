import type { LogEntry } from '../log.ts';
import { rankIn } from '../rank.ts';
import type { NodeReport, Warrant } from '../report.ts';
import { admits } from '../wave.ts';
import { type Evidence, type StoredWave, slotProblem, who } from './evidence.ts';
import type { Docket, Rule } from './rule.ts';

/** I3. Without a pulse in the last 30 s nobody starts. */
const PULSE_AGE_MAX_MS = 30_000;

/**
 * I2. A node starts an update only as: admitted, slot held, wave re-read after the claim, wave fresh. (That its own
 * policy is willing, no log shows.)
 */
export function startsByWarrant(evidence: Evidence, docket: Docket, toleranceMs: number): Rule {
  return {
    see(entry) {
      if (entry.kind !== 'report' || entry.report.status !== 'updating') return;
      const { report } = entry;
      docket.later(() => judge(entry, report));
    },
  };

  function judge(entry: LogEntry, report: NodeReport): void {
    docket.judged();
    const problem = slotProblem(evidence, report) ?? (report.warrant && waveProblem(report, report.warrant));
    if (problem !== undefined) docket.violation(entry.sequence, `${who(report)} started ${problem}`);
  }

  function waveProblem(report: NodeReport, warrant: Warrant): string | undefined {
    const { region, service, node, rollout } = report;
    const stored = evidence.wave(region, service, warrant.waveRevision);
    if (stored === 'before-log') return undefined;
    const named = `by wave ${warrant.waveRevision}`;
    if (stored === undefined) return `${named}, which nobody stored`;
    const { wave } = stored;
    if (wave.release.rollout !== rollout)
      return `rollout ${rollout} ${named}, which orders rollout ${wave.release.rollout}`;
    const rank = rankIn(wave, node);
    if (!admits(wave, rank))
      return `${named}, which is ${wave.phase} up to ${wave.cursor} and does not admit its rank ${rank}`;
    return stale(stored, report, warrant) ?? pulseProblem(stored, warrant);
  }

  /** The wave is re-read after the claim, so none that was newer at the claim can have been overlooked. */
  function stale({ revision, next }: StoredWave, report: NodeReport, warrant: Warrant): string | undefined {
    const { region, service } = report;
    const tenure = evidence.tenure({ region, service, slot: warrant.slot }, warrant.fence);
    if (next === undefined || typeof tenure !== 'object') return undefined;
    if (next.atMs + toleranceMs >= tenure.claimedAtMs) return undefined;
    return `by wave ${revision}, though wave ${next.revision} was there before it claimed its slot`;
  }
}

function pulseProblem({ wave, revision }: StoredWave, { pulseAgeMs }: Warrant): string | undefined {
  if (wave.phase === 'settled') return undefined;
  if (pulseAgeMs === undefined) return `by wave ${revision} without a pulse`;
  if (pulseAgeMs <= PULSE_AGE_MAX_MS) return undefined;
  return `by wave ${revision} with a pulse ${pulseAgeMs} ms old (at most ${PULSE_AGE_MAX_MS})`;
}
