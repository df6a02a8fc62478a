/** The nodes of a story: what each does when it looks at its orders once. They do at once what they are let, as they behave. */

import { heldBy } from '@swell/shared/domain/hold.ts';
import type { Digest } from '@swell/shared/domain/image.ts';
import type { NodeId, Region } from '@swell/shared/domain/names.ts';
import { rankIn } from '@swell/shared/domain/rank.ts';
import type { NodeReport, NodeStatus } from '@swell/shared/domain/report.ts';
import type { SlotHolder } from '@swell/shared/domain/slot.ts';
import {
  admits,
  type Halt,
  isHalted,
  type Release,
  type Standing,
  type Wave,
  wantsStaged,
} from '@swell/shared/domain/wave.ts';

/** How a node takes a release: by its digest; well where nothing is said. */
export type Behaviour = 'well' | 'fails' | 'stage-fails' | 'refuses' | 'hangs' | 'silent';

export interface StoryNode {
  readonly region: Region;
  readonly node: NodeId;
  running: Digest;
  lastGood: Digest;
  behaviour: Behaviour;
  here: boolean;
  labels: readonly string[];
  /** The attempt under way, and its slot. */
  attempt?: {
    readonly rollout: number;
    readonly retry: number;
    readonly kind: 'update' | 'return';
    readonly slot: number;
  };
  /** How the rollout ended that it tried last, as an agent remembers it. */
  tried?: {
    readonly rollout: number;
    readonly retry?: number;
    readonly update?: NodeStatus;
    readonly return?: NodeStatus;
  };
  said?: string;
}

/** What a node finds on its bus, and what it can say there. */
export interface StoryGround {
  readonly waves: ReadonlyMap<Region, Standing<Wave>>;
  readonly halt: { readonly order: Halt | undefined };
  readonly slots: ReadonlyMap<string, { readonly holder: SlotHolder | undefined }>;
  /** The image of a rollout that has been ordered. */
  digestIn(rollout: number): Digest | undefined;
  report(node: NodeId, status: NodeStatus, change: Partial<NodeReport>): void;
  writeSlot(region: Region, slot: number, holder: SlotHolder | undefined): unknown;
  see(nodes: readonly StoryNode[]): void;
}

type Saying = Partial<NodeReport> & Pick<NodeReport, 'rollout' | 'status'>;

/** It takes one step. Returns whether anything happened. */
export function act(node: StoryNode, ground: StoryGround): boolean {
  const wave = ground.waves.get(node.region)?.order;
  if (wave === undefined) return false;
  if (node.attempt !== undefined) return goOn(node, ground, node.attempt, wave);
  const halt = ground.halt.order;
  const { release } = wave;
  if (
    halt !== undefined &&
    halt.stay !== true &&
    node.running === halt.digest &&
    !(release.rollout > halt.rollout && mayStart(node, ground, wave))
  ) {
    if (release.image.digest === halt.digest && release.rollout > halt.rollout) return false;
    return begin(node, ground, { rollout: halt.rollout, kind: 'return', wave });
  }
  if (isHalted(halt, release) || wave.phase === 'halted' || wave.phase === 'aborted') return false;
  if (node.running === release.image.digest)
    return say(node, ground, { rollout: release.rollout, status: 'healthy' });
  if (hasFailed(node, release)) return false;
  const rank = rankIn(wave, node.node);
  if (!admits(wave, rank) && !wantsStaged(wave, rank)) return false;
  const held = heldBy(wave.holds ?? [], {
    node: node.node,
    labels: node.labels,
    digests: [node.running],
  });
  if (held !== undefined)
    return say(node, ground, { rollout: release.rollout, status: 'refused', reason: held });
  if (node.behaviour === 'stage-fails')
    return say(node, ground, { rollout: release.rollout, status: 'stage-failed', reason: 'disk full' });
  if (node.behaviour === 'refuses')
    return say(node, ground, { rollout: release.rollout, status: 'refused', reason: 'pinned' });
  const staged = say(node, ground, { rollout: release.rollout, status: 'staged' });
  return (
    (admits(wave, rank) && begin(node, ground, { rollout: release.rollout, kind: 'update', wave })) || staged
  );
}

function mayStart(node: StoryNode, ground: StoryGround, wave: Wave): boolean {
  return (
    !isHalted(ground.halt.order, wave.release) &&
    admits(wave, rankIn(wave, node.node)) &&
    !hasFailed(node, wave.release)
  );
}

function begin(
  node: StoryNode,
  ground: StoryGround,
  {
    rollout,
    kind,
    wave,
  }: { readonly rollout: number; readonly kind: 'update' | 'return'; readonly wave: Wave },
): boolean {
  const slot = Array.from({ length: wave.slots }, (_, index) => index).find(
    (index) => ground.slots.get(`${node.region}.${index}`)?.holder === undefined,
  );
  if (slot === undefined) return false;
  const retry = kind === 'update' ? (wave.release.retry ?? 0) : 0;
  node.attempt = { rollout, retry, kind, slot };
  const attempt = `${rollout}.${kind}.${retry + 1}`;
  ground.writeSlot(node.region, slot, { node: node.node, rollout, attempt, leaseMs: wave.slotLeaseMs });
  return say(node, ground, { rollout, status: kind === 'update' ? 'updating' : 'returning', attempt });
}

function goOn(
  node: StoryNode,
  ground: StoryGround,
  { rollout, retry, kind, slot }: NonNullable<StoryNode['attempt']>,
  wave: Wave,
): boolean {
  if (node.behaviour === 'hangs') return false;
  const attempt = `${rollout}.${kind}.${retry + 1}`;
  const halted = ground.halt.order?.rollout === rollout;
  delete node.attempt;
  let status: NodeStatus = kind === 'return' || halted ? 'returned' : 'healthy';
  if (kind === 'return') node.running = node.lastGood;
  else if (node.behaviour === 'fails' && !halted) status = 'failed';
  else if (status === 'healthy') {
    const { digest, settledAs } = ground.halt.order ?? {};
    node.lastGood = node.running === digest && settledAs === undefined ? node.lastGood : node.running;
    node.running =
      wave.release.rollout === rollout
        ? wave.release.image.digest
        : (ground.digestIn(rollout) ?? node.running);
  }
  node.tried = { ...(node.tried?.rollout === rollout && node.tried), rollout, retry, [kind]: status };
  say(node, ground, {
    rollout,
    status,
    attempt,
    ...(retry > 0 && { retry }),
    running: node.running,
    ...(status === 'failed' && { reason: 'it crashed' }),
  });
  if (ground.slots.get(`${node.region}.${slot}`)?.holder?.node === node.node)
    ground.writeSlot(node.region, slot, undefined);
  ground.see([node]);
  return true;
}

function say(node: StoryNode, ground: StoryGround, { rollout, status, ...change }: Saying): boolean {
  const said = `${rollout}.${status}.${change.attempt ?? ''}`;
  const isNews = node.said !== said && !(status === 'staged' && hasSpoken(node, rollout));
  const isDone =
    status === 'healthy' && change.attempt === undefined && node.said?.startsWith(`${rollout}.healthy`);
  if (!isNews || isDone === true) return false;
  node.said = said;
  ground.report(node.node, status, { rollout, ...change });
  return true;
}

function hasSpoken({ said = '' }: StoryNode, rollout: number): boolean {
  const [of, status = ''] = said.split('.');
  return of === String(rollout) && status !== 'stage-failed' && status !== 'refused';
}

/** Has it tried the rollout to an end that was none, and does not try it again? */
export function hasFailed({ tried }: StoryNode, { rollout, retry = 0 }: Release): boolean {
  if (tried?.rollout !== rollout || tried.update === undefined || tried.update === 'healthy') return false;
  return tried.update !== 'failed' || retry <= (tried.retry ?? 0);
}
