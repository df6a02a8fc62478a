/**
 * N1. A tag that the policy watches: what it names becomes a release once, or a proposal once for each time that it is named,
 * whoever leads; nothing that it never named does; and what it goes on naming does in the end.
 */

import type { StoredMessage } from '@swell/shared/adapters/bus.ts';
import type { FleetEvent } from '@swell/shared/domain/event.ts';
import { type Digest, shortDigest } from '@swell/shared/domain/image.ts';
import type { ControlIntent } from '@swell/shared/domain/intent.ts';
import type { Wave } from '@swell/shared/domain/wave.ts';
import { sameValue } from '@swell/shared/kernel/equal.ts';
import { decode } from '@swell/shared/protocol/codec.ts';
import { releaseSchema } from '@swell/shared/protocol/intent.ts';
import { READ_WITHIN_MS, type Scene } from './scene.ts';

/** Who was refused is asked again within ten minutes, and what waits for other things is decided when they are over. */
const DECIDED_WITHIN_MS = 900_000;

export class Tags {
  readonly #scene: Scene;
  /** Digests that were released, from the tag; and all that anybody has released. */
  readonly #released = new Set<Digest>();
  readonly #known = new Set<Digest>();
  /** When each was proposed last. */
  readonly #proposedAtMs = new Map<Digest, number>();
  /** What people have let come. */
  readonly #approved = new Set<Digest>();
  #judged: number | undefined;

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  released({ sequence: rollout, body }: StoredMessage): void {
    const release = decode(body, releaseSchema);
    if (!release.ok || 'parts' in release.value.image) return;
    const { image, publication } = release.value;
    const { digest } = image;
    if (digest === undefined || publication?.startsWith('tag.') !== true) return;
    const { bench } = this.#scene;
    bench.judged('N1');
    if (this.#released.has(digest))
      bench.break('N1', `${shortDigest(digest)} is released from its tag once more`, { rollout });
    this.#released.add(digest);
    this.#known.add(digest);
    this.#judgeShown(digest, 'released');
    this.#judgeApproved(digest, rollout);
  }

  said(intent: ControlIntent): void {
    if (intent.action === 'approve' && 'digest' in intent) this.#approved.add(intent.digest);
  }

  wave({ release }: Wave): void {
    this.#known.add(release.image.digest);
  }

  event({ name, digest }: FleetEvent): void {
    if (digest === undefined) return;
    if (name === 'tag-passed-over') this.#known.add(digest);
    if (name !== 'release-proposed') return;
    const { bench, shown } = this.#scene;
    const before = this.#proposedAtMs.get(digest);
    this.#proposedAtMs.set(digest, bench.nowMs);
    this.#judgeShown(digest, 'proposed');
    if (before === undefined) return;
    bench.judged('N1');
    const wasElsewhere = shown.some(
      (one) => one.digest !== digest && one.sinceMs > this.#namedBefore(digest, before),
    );
    if (!wasElsewhere)
      bench.break('N1', `${shortDigest(digest)} is proposed once more, and was named all the time`);
  }

  /** What the tag has named for so long that nothing can have been in the way is decided. */
  look(): void {
    const { bench, calm, policies, shown, registryFineSinceMs } = this.#scene;
    const last = shown.at(-1);
    if (last === undefined || this.#judged === last.sinceMs) return;
    const { nowMs } = bench;
    const [first, ...others] = policies.since(nowMs - DECIDED_WITHIN_MS).map(({ watch }) => watch);
    if (first === undefined || !others.every((one) => sameValue(one, first))) return;
    const sinceMs = Math.max(last.sinceMs, registryFineSinceMs());
    const forMs = DECIDED_WITHIN_MS + first.everyMs;
    if (nowMs - sinceMs < forMs || !calm.isBusCalm(DECIDED_WITHIN_MS, nowMs)) return;
    this.#judged = last.sinceMs;
    bench.judged('N1');
    if (this.#known.has(last.digest) || this.#proposedAtMs.has(last.digest)) return;
    bench.break('N1', `nothing has come of ${shortDigest(last.digest)}, which its tag has long named`);
  }

  /** What is to be proposed waits for a person. */
  #judgeApproved(digest: Digest, rollout: number): void {
    const { bench, policies } = this.#scene;
    const all = policies.since(bench.nowMs - READ_WITHIN_MS);
    if (!all.every(({ watch }) => watch?.mode === 'propose')) return;
    bench.judged('N1');
    if (!this.#approved.has(digest))
      bench.break('N1', `${shortDigest(digest)} is released, which nobody has approved`, { rollout });
  }

  /** Since when it has been named, at the time. */
  #namedBefore(digest: Digest, atMs: number): number {
    return this.#scene.shown.findLast((one) => one.digest === digest && one.sinceMs <= atMs)?.sinceMs ?? atMs;
  }

  #judgeShown(digest: Digest, how: string): void {
    const { bench, shown } = this.#scene;
    bench.judged('N1');
    if (!shown.some((one) => one.digest === digest))
      bench.break('N1', `${shortDigest(digest)} is ${how}, and the tag has never named it`);
  }
}
