/** The ways to give a service another image, each of them compared by what a client sees. */

export const WAYS = [
  /** What Swell does: prepare, cut over, probe, commit. */
  'swap',
  /** The container is stopped and started: nothing that replaces it can be shorter. */
  'bound',
  'composeDownUp',
  'composePullUp',
  'swarm',
  // With a neighbour's address asked for again after 20 ms instead of a second.
  'swapTuned',
  'boundTuned',
  'composePullUpTuned',
] as const;
export type WayName = (typeof WAYS)[number];

export interface Way {
  /** Where the service is reached. */
  readonly port: number;
  /** What takes no part in the outage, such as the image lying in the registry. Returns what is served afterwards. */
  makeReady(): Promise<string>;
  /** Gives the service the other image, until whoever does it calls it done. */
  replace(): Promise<void>;
}

/** Ways that need the same thing, made and taken away together; or why there are none here. */
export type Ways = Readonly<Partial<Record<WayName, Way>>>;
