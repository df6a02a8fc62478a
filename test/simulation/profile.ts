/** What goes wrong in a simulated world, and how often. Rates are per node (or program) and simulated hour. */

export interface Profile {
  readonly name: string;
  readonly agentCrashesPerHour: number;
  /** At each effect of an agent, before and after it. */
  readonly agentDiesAtEffect: number;
  readonly coordinatorCrashesPerHour: number;
  readonly coordinatorDiesAtEffect: number;
  readonly agentPausesPerHour: number;
  readonly coordinatorPausesPerHour: number;
  readonly nodesGoAwayPerHour: number;
  /** Of those that go away. */
  readonly goneForGood: number;
  readonly nodesJoin: number;
  readonly cutsPerHour: number;
  readonly partitionsPerHour: number;
  readonly busRestartsPerHour: number;
  readonly leaderLossesPerHour: number;
  readonly dockerdRestartsPerHour: number;
  readonly registryOutagesPerHour: number;
  readonly pullFailureRate: number;
  readonly diskFullPerHour: number;
  readonly journalLossesPerHour: number;
  readonly operatorWordsPerHour: number;
  readonly policyChangesPerHour: number;
}

export const CALM: Profile = {
  name: 'calm',
  agentCrashesPerHour: 0,
  agentDiesAtEffect: 0,
  coordinatorCrashesPerHour: 0,
  coordinatorDiesAtEffect: 0,
  agentPausesPerHour: 0,
  coordinatorPausesPerHour: 0,
  nodesGoAwayPerHour: 0,
  goneForGood: 0,
  nodesJoin: 0,
  cutsPerHour: 0,
  partitionsPerHour: 0,
  busRestartsPerHour: 0,
  leaderLossesPerHour: 0,
  dockerdRestartsPerHour: 0,
  registryOutagesPerHour: 0,
  pullFailureRate: 0,
  diskFullPerHour: 0,
  journalLossesPerHour: 0,
  operatorWordsPerHour: 0,
  policyChangesPerHour: 0,
};

export const STORMY: Profile = {
  name: 'stormy',
  agentCrashesPerHour: 0.5,
  agentDiesAtEffect: 0.000_5,
  coordinatorCrashesPerHour: 6,
  coordinatorDiesAtEffect: 0.000_5,
  agentPausesPerHour: 0.3,
  coordinatorPausesPerHour: 3,
  nodesGoAwayPerHour: 0.3,
  goneForGood: 0.1,
  nodesJoin: 0.1,
  cutsPerHour: 0.5,
  partitionsPerHour: 0.3,
  busRestartsPerHour: 1,
  leaderLossesPerHour: 2,
  dockerdRestartsPerHour: 0.5,
  registryOutagesPerHour: 0.5,
  pullFailureRate: 0.05,
  diskFullPerHour: 0.1,
  journalLossesPerHour: 0.02,
  operatorWordsPerHour: 3,
  policyChangesPerHour: 2,
};
