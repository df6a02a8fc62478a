/**
 * How a node finds out whether its service is well. The check travels inside the wave, so that a changed check goes
 * through the same waves as a changed image.
 */

export type Probe =
  /** 2xx or 3xx from the container's own address. */
  | { readonly kind: 'http'; readonly port: number; readonly path: string }
  /** A connection that is accepted. */
  | { readonly kind: 'tcp'; readonly port: number }
  /** Docker's own HEALTHCHECK says `healthy`. */
  | { readonly kind: 'docker' }
  /** Exit code 0 of a command inside the container. */
  | { readonly kind: 'command'; readonly command: readonly string[] }
  /** Docker's HEALTHCHECK where the container has one, else: it runs and has not restarted. */
  | { readonly kind: 'automatic' };

export interface HealthCheck {
  readonly probe: Probe;
  readonly intervalMs: number;
  readonly probeTimeoutMs: number;
  /** Healthy means: without a failed probe for this long. */
  readonly minHealthyTimeMs: number;
  /** Not healthy by then, counted from the container's start: the update has failed. */
  readonly healthyDeadlineMs: number;
}
