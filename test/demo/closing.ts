/** The demo's last words: a table, and what went wrong. */

import type { EventName } from '@swell/shared/domain/event.ts';
import { shortDigest } from '@swell/shared/domain/image.ts';
import type { Row, Span, Tone } from './frame.ts';
import type { ActFacts, DemoFacts, DemoResult, EngineKind } from './verdict.ts';

/** What the table stands on, for each engine. */
const SOURCES: Readonly<Record<EngineKind, readonly string[]>> = {
  docker: [
    'Containers and answers: from Docker and over HTTP, not from what our programs say.',
    'Out at once: by asking every node for /health, every 75 ms.',
  ],
  memory: [
    "Digests: from the file that each agent's engine in memory keeps; there is nobody to ask over HTTP.",
    'Out at once: by the slots that the log shows held.',
  ],
};

export function closing(facts: DemoFacts, result: DemoResult): readonly Row[] {
  return [...(facts.good === undefined ? [] : tables(facts, result)), [], ...lastWords(result)];
}

function lastWords({ ok, failures }: DemoResult): readonly Row[] {
  if (ok) return [[{ text: '● Both releases ended as they should.', tone: 'good' }]];
  return failures.map((failure): Row => [{ text: `✗ ${failure}`, tone: 'bad' }]);
}

function tables(facts: DemoFacts, result: DemoResult): readonly Row[] {
  const { good, bad, goodDigest } = facts;
  const { nodes } = result;
  const isAll = (count: number): Tone => (count === nodes ? 'good' : 'bad');
  const lines: readonly (readonly [string, Span, Span])[] = [
    ['', strong(good?.version ?? 'good'), strong(bad?.version ?? 'sick')],
    ['ended', span(endOf(good)), span(endOf(bad))],
    ['tried by', span(ofAll(good?.attempted ?? 0, nodes)), span(ofAll(result.bad.attempted, nodes))],
    [
      `on ${good?.version ?? 'the good one'} in the end`,
      { text: ofAll(result.good.updated, nodes), tone: isAll(result.good.updated) },
      { text: ofAll(result.bad.onLastGood, nodes), tone: isAll(result.bad.onLastGood) },
    ],
    [
      'out at once in a region',
      span(`${result.good.maxUnavailableSeen} (${result.good.maxUnavailableAllowed} allowed)`),
      span(`${bad?.maxUnavailableSeen ?? 0} (${result.good.maxUnavailableAllowed} allowed)`),
    ],
    ['took', span(`${result.good.seconds} s`), span(`${result.bad.seconds} s`)],
  ];
  return [
    [],
    ...lines.map(([name, left, right]): Row => [quiet(name.padEnd(26)), padded(left, 20), right]),
    [],
    [quiet(`${'node'.padEnd(14)}${'answers'.padEnd(10)}runs`)],
    ...((bad ?? good)?.truth.map(({ node, serves, digests }): Row => {
      const isGood = digests.length === 1 && goodDigest !== undefined && digests[0]?.includes(goodDigest);
      const runs = digests.map((names) => shortDigest(names[0] ?? '?')).join(', ');
      return [
        strong(node.padEnd(14)),
        span((serves ?? '–').padEnd(10)),
        { text: runs === '' ? 'nothing' : runs, tone: isGood === true ? 'good' : 'bad' },
      ];
    }) ?? []),
    [],
    ...SOURCES[facts.engine].map((line): Row => [quiet(line)]),
    [quiet(`Rules I1 to I13: checked over the fleet's whole log, ${facts.entries} entries.`)],
  ];
}

/** The event that ended it, for people. */
function endOf(act: ActFacts | undefined): string {
  if (act === undefined) return 'not seen';
  const words: Partial<Record<EventName, string>> = {
    'rollout-settled': 'settled',
    'rollout-rested': act.wasHalted ? 'halted, all back' : 'at rest',
    'rollout-paused': 'paused',
    'rollout-aborted': 'aborted',
    'release-rejected': 'rejected',
  };
  return words[act.ended] ?? act.ended;
}

function ofAll(count: number, nodes: number): string {
  return `${count} of ${nodes} nodes`;
}

function padded({ text, tone }: Span, width: number): Span {
  return { text: text.padEnd(width), tone };
}

function span(text: string): Span {
  return { text, tone: 'plain' };
}

function strong(text: string): Span {
  return { text, tone: 'strong' };
}

function quiet(text: string): Span {
  return { text, tone: 'quiet' };
}
