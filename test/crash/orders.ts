/** A coordinator's orders for one service in one region, published as it publishes them, and the pulse behind them. */

import type { Bus } from '@swell/shared/adapters/bus.ts';
import type { PinnedImage } from '@swell/shared/domain/image.ts';
import type { Region, ServiceName } from '@swell/shared/domain/names.ts';
import { DEFAULT_POLICY } from '@swell/shared/domain/policy.ts';
import { LAST } from '@swell/shared/domain/rank.ts';
import type { Halt, Wave, WavePhase } from '@swell/shared/domain/wave.ts';
import { encode } from '@swell/shared/protocol/codec.ts';
import { describeHalt, describeWave } from '@swell/shared/protocol/orders.ts';
import { haltKey, pulseSubject, releaseSubject, waveKey } from '@swell/shared/protocol/subjects.ts';
import { type Flow, healthOf } from './flow.ts';

const PULSE_EVERY_MS = 500;

export interface OrdersOptions {
  readonly bus: Bus;
  readonly region: Region;
  readonly service: ServiceName;
  readonly image: PinnedImage;
  readonly flow: Flow;
  readonly slotLeaseMs: number;
}

export class Orders implements Disposable {
  readonly #options: OrdersOptions;
  readonly #pulse: NodeJS.Timeout;
  #rollout = 0;
  #wave = 0;
  #halt = 0;
  /** No pulse while an order is on its way that takes back what stands (B13). */
  #isStanding = false;

  private constructor(options: OrdersOptions) {
    this.#options = options;
    this.#pulse = setInterval(() => this.#sendPulse(), PULSE_EVERY_MS);
  }

  /** The release, and a wave that lets everybody start. */
  static async open(options: OrdersOptions): Promise<Orders> {
    const orders = new Orders(options);
    const { bus, service, image } = options;
    const reference = `${image.repository}@${image.digest}`;
    const released = await bus.publish({
      subject: releaseSubject(service),
      body: encode({ image: reference, version: image.tag }),
      line: `release ${image.tag} of ${service}`,
    });
    orders.#rollout = released.sequence;
    await orders.#order('open');
    return orders;
  }

  get rollout(): number {
    return this.#rollout;
  }

  /** First the halt, then the wave, as a coordinator does: who has read the one knows the other. */
  async halt(): Promise<void> {
    this.#isStanding = false;
    const { bus, service, image } = this.#options;
    const halt: Halt = {
      service,
      rollout: this.#rollout,
      digest: image.digest,
      version: image.tag ?? '',
      reason: 'somebody said so',
    };
    const halted = await bus.publish({
      subject: haltKey(service),
      body: encode(halt),
      line: describeHalt(halt),
      expectLast: this.#halt,
    });
    this.#halt = halted.sequence;
    await this.#order('halted');
  }

  [Symbol.dispose](): void {
    clearInterval(this.#pulse);
  }

  async #order(phase: WavePhase): Promise<void> {
    const { bus, region, service, image, flow, slotLeaseMs } = this.#options;
    const wave: Wave = {
      region,
      service,
      release: { rollout: this.#rollout, service, image, version: image.tag ?? '' },
      phase,
      stage: { number: 1, of: 1, percent: 100 },
      seed: `seed of ${service}`,
      stageBelow: LAST,
      cursor: LAST,
      slots: 1,
      slotLeaseMs,
      stagingSpreadMs: 0,
      health: healthOf(flow),
      drain: DEFAULT_POLICY.drain,
      rejoin: DEFAULT_POLICY.rejoin,
    };
    const ordered = await bus.publish({
      subject: waveKey(region, service),
      body: encode(wave),
      line: describeWave(wave),
      expectLast: this.#wave,
    });
    this.#wave = ordered.sequence;
    this.#isStanding = true;
    this.#sendPulse();
  }

  #sendPulse(): void {
    if (!this.#isStanding) return;
    const { bus, region, service } = this.#options;
    const orders = { [service]: { wave: this.#wave, halt: this.#halt } };
    bus.broadcast(pulseSubject(region), encode({ term: 1, orders }), `${region}: term 1`);
  }
}
