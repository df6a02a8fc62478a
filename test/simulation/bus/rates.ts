/** What goes wrong by itself, how often. All are zero until the world says otherwise. */
export interface FaultRates {
  /** A plain message does not reach one of its subscribers. */
  lost: number;
  /** A plain message reaches one of its subscribers twice. */
  duplicated: number;
  /** A publish is neither stored nor answered. */
  publishLost: number;
  /** A publish is stored, and not answered. */
  answerLost: number;
  /** A read of last values comes from a replica that is behind. */
  staleRead: number;
  /** How far it is behind, on average. */
  staleMs: number;
  /** A word on the wire is late, and so all behind it. */
  delayed: number;
  /** How late, on average. */
  delayMs: number;
}

export const noFaults = (): FaultRates => ({
  lost: 0,
  duplicated: 0,
  publishLost: 0,
  answerLost: 0,
  staleRead: 0,
  staleMs: 50,
  delayed: 0,
  delayMs: 2_000,
});
