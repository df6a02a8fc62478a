import type { LogEntry } from '@swell/shared/domain/log.ts';
import { STREAMS } from '@swell/shared/protocol/subjects.ts';
import { describe, expect, test } from 'vitest';
import { digestOf, LogStory, REGION, type Turn } from '../support/log-story.ts';
import { Judge } from './judge.ts';
import { Outages } from './outages.ts';
import type { Marks } from './watch.ts';

/** A judged fleet: what its streams hold is told by stories, one for each epoch. */
class Court {
  nowMs = 0;
  readonly outages = new Outages(() => this.nowMs);
  readonly judge = new Judge(this.outages, () => this.nowMs);
  story = new LogStory();
  #told = 0;

  /** Everything that the story has told since. */
  read(): this {
    for (const entry of this.story.entries.slice(this.#told)) {
      const revision = 'revision' in entry ? entry.revision : entry.sequence;
      this.judge.see({ stream: streamOf(entry), revision, entry });
    }
    this.#told = this.story.entries.length;
    this.nowMs = this.story.nowMs;
    return this;
  }

  /** The bus goes back to these marks, and its sequences begin again behind them. */
  rewind(marks: Marks = new Map()): this {
    this.story.pass(1_000);
    this.read().judge.rewind(marks);
    this.story = new LogStory().pass(this.nowMs);
    this.#told = 0;
    return this;
  }

  rules(): readonly string[] {
    this.read().judge.finish();
    return this.judge.violations.map(({ rule, message }) => `${rule}: ${message}`);
  }

  goesOut({ node, attempt }: Turn): void {
    this.outages.begin({ region: REGION, name: node }, attempt);
  }

  comesBack({ node }: Turn): void {
    this.outages.end({ region: REGION, name: node });
  }
}

function streamOf({ kind }: LogEntry): string {
  const streams: Readonly<Record<LogEntry['kind'], string>> = {
    wave: STREAMS.orders,
    halt: STREAMS.orders,
    slot: STREAMS.slots,
    report: STREAMS.health,
    event: STREAMS.log,
    release: STREAMS.releases,
  };
  return streams[kind];
}

describe('over a bus that was set back', () => {
  test('an attempt that was begun before ends as it began, and nothing is broken', () => {
    const court = new Court();
    court.story.order(7);
    court.story.update('n1', 0);
    const turn = court.story.claim('n2', 0);
    court.story.start(turn);
    court.rewind();
    court.story.order(9);
    court.story.report(turn, 'healthy', { running: digestOf(7) });
    court.story.update('n3', 0);
    expect(court.rules()).toEqual([]);
  });

  test('who starts by a slot that no epoch ever gave him breaks I2 all the same', () => {
    const court = new Court();
    court.story.order(7);
    court.story.update('n1', 0);
    court.rewind();
    court.story.order(9);
    const turn = { ...court.story.claim('n3', 0), fence: 5 };
    court.story.start(turn);
    court.story.report(turn, 'healthy', { running: digestOf(9) });
    expect(court.rules()).toEqual([
      'I2: n3 (web in eu) started by slot 0 at revision 5, which nobody stored',
    ]);
  });

  test('who goes by an order that is older than what he has obeyed breaks I6: he should be frozen', () => {
    const court = new Court();
    court.story.order(6);
    court.story.order(7);
    court.story.update('n1', 0);
    court.rewind();
    court.story.order(8);
    for (const node of ['n2', 'n1']) court.story.update(node, 0);
    expect(court.rules()).toEqual(['I6: n1 obeyed wave 1 after wave 2, attempt a2']);
  });

  test('an attempt that ends in each of two epochs has ended twice, and one that never ends is missed (I8)', () => {
    const court = new Court();
    court.story.order(7);
    const [first, second] = [court.story.claim('n1', 0), court.story.claim('n2', 1)];
    court.story.start(first);
    court.story.report(first, 'healthy', { running: digestOf(7) });
    court.story.start(second);
    court.rewind();
    court.story.report(first, 'failed', { running: digestOf(6) });
    expect(court.rules()).toEqual([
      'I8: n1 (web in eu) says failed of attempt a1, which had ended as healthy',
      'I8: n1/a1 ended 2 times: healthy, failed',
      'I8: n2/a2 never said how it ended',
    ]);
  });

  test('what was before the marks is true still: a cursor that falls behind them breaks I4', () => {
    const court = new Court();
    court.story.order(7, { cursor: 0.5 });
    court.story.order(7, { cursor: 0.9 });
    court.rewind(new Map([[STREAMS.orders, 1]]));
    court.story.order(7, { cursor: 0.5 });
    court.story.order(7, { cursor: 0.4 });
    expect(court.rules()).toEqual([
      'I4: wave 2 of web in eu, rollout 7 admits ranks below 0.4, though wave 1 admitted those below 0.5',
    ]);
  });
});

describe('who is really out', () => {
  /** Two slots, and three nodes that are out one after the other until all are back. */
  function threeOut(court: Court, meanwhile: (turns: readonly Turn[]) => void = () => {}): void {
    court.story.order(7);
    const turns = ['n1', 'n2'].map((node, slot) => {
      const turn = court.story.claim(node, slot);
      court.story.start(turn);
      court.read().goesOut(turn);
      return turn;
    });
    meanwhile(turns);
    const last = court.story.claim('n3', 0);
    court.story.start(last);
    court.read().goesOut(last);
    for (const turn of [...turns, last]) {
      court.story.report(turn, 'healthy', { running: digestOf(7) });
      court.read().comesBack(turn);
    }
  }

  test('more than the wave has slots break I1, whatever they say', () => {
    const court = new Court();
    threeOut(court, ([first]) => court.story.free(first ?? { slot: 0 }));
    expect(court.rules()).toContain(
      'I1: 3 nodes of eu were out at once, 2 may be: n1 (a1), n2 (a2), n3 (a3)',
    );
  });

  test('one whose slot was declared lost counts against the failure budget instead', () => {
    const court = new Court();
    threeOut(court, ([first]) => {
      court.story.pass(200_000);
      const { node, slot, fence } = first ?? { node: '', slot: 0, fence: 0 };
      for (const name of ['slot-lost', 'slot-cleared'] as const)
        court.story.tell(name, { region: REGION, node, slot, revision: fence, rollout: 7 });
      court.story.free({ slot });
    });
    expect(court.rules()).toEqual([]);
  });

  test('where a wave has fewer slots than before, those who held one then may end what they began', () => {
    const court = new Court();
    court.story.order(7);
    const turns = [court.story.claim('n1', 0), court.story.claim('n2', 1)];
    court.story.order(7, { slots: 1 });
    for (const turn of turns) court.read().goesOut(turn);
    for (const turn of turns) court.comesBack(turn);
    expect(court.rules()).toEqual([]);
  });

  test('one whose slot the bus forgot is excused, and counted', () => {
    const court = new Court();
    court.story.order(7, { slots: 1 });
    const before = court.story.claim('n1', 0);
    court.story.start(before);
    court.read().goesOut(before);
    court.rewind();
    court.story.order(9, { slots: 1 });
    const after = court.story.claim('n2', 0);
    court.story.start(after);
    court.read().goesOut(after);
    court.story.report(after, 'healthy', { running: digestOf(9) });
    court.story.report(before, 'healthy', { running: digestOf(7) });
    const said = '2 nodes of eu were out at once, 1 may be: n1 (a1), n2 (a1)';
    expect({ rules: court.rules(), excused: [...court.judge.excused] }).toEqual({
      rules: [],
      excused: [said],
    });
  });
});
