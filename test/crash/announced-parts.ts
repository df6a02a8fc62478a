/** An agent's engine and its journal, announced. */

import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import type { Engine } from '../../packages/agent/src/adapters/engine.ts';
import type { Journals } from '../../packages/agent/src/adapters/journal.ts';
import { EMPTY_JOURNAL, type Journal } from '../../packages/agent/src/core/state.ts';
import type { Announcer, At } from './announcer.ts';

/**
 * What the core asks of the engine. What it has it do to containers is no effect of its own: it begins with the first of
 * the requests that are announced one by one elsewhere, and ends with the last.
 */
export function announceEngine(engine: Engine, announcer: Announcer): Engine {
  return {
    kind: engine.kind,
    services: () => announcer.around('engine: services', () => engine.services()),
    observe: (service) => announcer.around('engine: observe', () => engine.observe(service)),
    stageImage: (...args) => announcer.around('engine: stage image', () => engine.stageImage(...args)),
    cleanImages: (...args) => announcer.around('engine: clean images', () => engine.cleanImages(...args)),
    prepareSwap: (order) => engine.prepareSwap(order),
    startBeside: (service) => engine.startBeside(service),
    cutOver: (service, left) => engine.cutOver(service, left),
    commitSwap: (service) => engine.commitSwap(service),
    undoSwap: (service) => engine.undoSwap(service),
    probe: (...args) => announcer.around('engine: probe', () => engine.probe(...args)),
    askLeave: (service) => announcer.around('engine: ask leave', () => engine.askLeave(service)),
    confirm: (service) => announcer.around('engine: confirm', () => engine.confirm(service)),
    countInFlight: (...args) =>
      announcer.around('engine: count in flight', () => engine.countInFlight(...args)),
    changes: () => engine.changes(),
    [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
  };
}

/** Of the one service that it has. */
export function announceJournals(journals: Journals, announcer: Announcer): Journals {
  let saved = EMPTY_JOURNAL;
  let saving: At | undefined;
  // In the middle of a save: the new file is whole, and not yet the one that would be read.
  const { rename } = fs;
  fs.rename = (from, to) => {
    saving?.('during');
    return rename(from, to);
  };
  syncBuiltinESMExports();
  return {
    async load(service) {
      const loaded = await journals.load(service);
      saved = loaded.journal ?? EMPTY_JOURNAL;
      return loaded;
    },
    async save(service, journal) {
      saving = announcer.effect(...factsOf(saved, journal));
      saving('before');
      await journals.save(service, journal);
      saved = journal;
      saving('after');
      saving = undefined;
    },
  };
}

/**
 * What a save puts into the journal, what matters most first. Saves themselves are no names: events that came together
 * are saved together.
 */
function factsOf(before: Journal, after: Journal): readonly string[] {
  const said = after.outbox.filter(({ id }) => !before.outbox.some((report) => report.id === id));
  const stored = before.outbox.filter(({ id }) => !after.outbox.some((report) => report.id === id));
  const facts = [
    ...(before.attempt === undefined && after.attempt !== undefined ? ['attempt begins'] : []),
    ...(before.attempt?.ending === undefined && after.attempt?.ending !== undefined
      ? ['attempt is given up']
      : []),
    ...(before.attempt !== undefined && after.attempt === undefined ? ['attempt ends'] : []),
    ...said.map(({ status }) => `${status} is to be said`),
    ...stored.map(({ status }) => `${status} is stored`),
    ...(after.highest.halt > before.highest.halt ? ['halt is heard'] : []),
    ...(after.highest.wave > before.highest.wave ? ['wave is heard'] : []),
  ];
  return (facts.length > 0 ? facts : ['nothing of these']).map((fact) => `journal: ${fact}`);
}
