import type { NodeId } from '../names.ts';

/** From the claim to the deletion of the slot by which a node went out; revisions of slots come from one stream. */
export interface Span {
  readonly node: NodeId;
  readonly from: number;
  readonly to: number;
}

/** The most who were out together at any moment of this span; only where one of them begins can there be more. */
export function mostAtOnce(span: Span, spans: readonly Span[]): readonly Span[] {
  const ends = spans.map(({ to }) => to).sort((a, b) => a - b);
  let [over, most, mostAt] = [0, 0, span.from];
  for (const [index, from] of spans
    .map((one) => one.from)
    .sort((a, b) => a - b)
    .entries()) {
    while ((ends[over] ?? from + 1) <= from) over += 1;
    const together = index + 1 - over;
    if (from < span.from || from >= span.to || together < most) continue;
    [most, mostAt] = [together, from];
  }
  return spans.filter(({ from, to }) => from <= mostAt && mostAt < to);
}
