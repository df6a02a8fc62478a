import { AGENT_MUTANTS } from './agent.ts';
import { COORDINATOR_MUTANTS } from './coordinator.ts';
import type { Mutant } from './mutant.ts';
import { OWN_AGENT_MUTANTS } from './own-agent.ts';
import { SCOPE_MUTANTS } from './scopes.ts';
import { SHARED_MUTANTS } from './shared.ts';
import { VARIETY_MUTANTS } from './variety.ts';

export const MUTANTS: readonly Mutant[] = [
  ...AGENT_MUTANTS,
  ...OWN_AGENT_MUTANTS,
  ...COORDINATOR_MUTANTS,
  ...SHARED_MUTANTS,
  ...SCOPE_MUTANTS,
  ...VARIETY_MUTANTS,
];
