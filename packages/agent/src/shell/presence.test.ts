import type { Bus, Publication } from '@swell/shared/adapters/bus.ts';
import { type Host, systemHost } from '@swell/shared/adapters/host.ts';
import type { Presence } from '@swell/shared/domain/report.ts';
import { expect, it } from 'vitest';
import { PresenceKeeper } from './presence.ts';

const whole: Presence = { region: 'a', node: 'n', agentVersion: '1', services: {} };

it('is not written before all has been looked at: a service that is missing in it would be taken for gone', async () => {
  const written: string[] = [];
  const bus: Pick<Bus, 'publish'> = {
    async publish({ subject }: Publication) {
      written.push(subject);
      return { sequence: written.length, duplicate: false };
    },
  };
  let due: (() => void) | undefined;
  const host: Host = {
    ...systemHost,
    monotonicMs: () => 0,
    after(_ms, call) {
      due = call;
      return () => {};
    },
  };
  let presence: Presence | undefined;
  using keeper = new PresenceKeeper(
    () => bus as Bus,
    host,
    () => presence,
    60_000,
  );
  keeper.touched();
  expect(due).toBeUndefined();
  keeper.refresh(0);
  due?.();
  expect(written).toEqual([]);
  presence = whole;
  due?.();
  expect(written).toEqual(['$KV.swell_nodes.a.n']);
});
