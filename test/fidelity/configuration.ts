/** What a configuration of the matrix is: a container as somebody makes it, and what is said of it in docs/FIDELITY.md. */

/** What stands around a container: names that are its own, and what all share. */
export interface Place {
  /** The container's own name, and what it may call things that only it has. */
  readonly name: string;
  /** A number of its own between 0 and 199. */
  readonly number: number;
  /** A network that all share; `six` has IPv6. */
  readonly network: (name: 'front' | 'back' | 'six') => string;
  /** Ids of those. */
  readonly networkId: (name: 'front' | 'back' | 'six') => string;
  /** An address in one of those: IPv6 in `six`. */
  readonly address: (name: 'front' | 'back' | 'six', host: number) => string;
  /** A container on `front` and the default bridge that lends its namespaces and volumes. */
  readonly neighbour: string;
  /** A folder of this machine with the files `env`, `labels`, `text`, and `seccomp.json`. */
  readonly folder: string;
  /** A port of this machine that nobody else takes; the next nine are free too. */
  readonly port: number;
}

interface Told {
  readonly name: string;
  /** A sentence for the table where it is special. */
  readonly special?: string;
  /** What the refusal says: it is not carried. */
  readonly refused?: string;
  /** The least API version of Docker's that can make it. */
  readonly since?: string;
  /**
   * Fields (`Config.Labels`) in which it follows the image although somebody asked for the value, since Docker shows
   * only the sum, and the old image said the same.
   */
  readonly untold?: readonly string[];
}

/** `docker run -d <options> <image> <command>` */
export interface CliConfiguration extends Told {
  readonly options?: (place: Place) => readonly string[];
  readonly command?: readonly string[];
  /** Networks that it is connected to once it runs, with the options of `docker network connect`. */
  readonly connect?: (place: Place) => readonly (readonly [network: string, ...options: string[]])[];
}

/** A service of a Compose file. Its top-level `configs`, `secrets`, `volumes` are those of {@link composeFile}. */
export interface ComposeConfiguration extends Told {
  readonly service?: (place: Place) => object;
  /** Files that Compose writes into the container itself, and their content. */
  readonly written?: Readonly<Record<string, string>>;
}

/** Does this dockerd speak that version? */
export function speaks(api: string, wanted: string | undefined): boolean {
  const [major = 0, minor = 0] = api.split('.').map(Number);
  const [wantedMajor = 0, wantedMinor = 0] = (wanted ?? '0.0').split('.').map(Number);
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}
