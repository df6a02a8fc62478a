/**
 * Image references as Docker reads them (distribution/reference), and the pinned image that a release carries.
 */

/** `sha256:` and 64 hexadecimal digits. */
export type Digest = string;

/** A repository with what a person wrote behind it: `registry.example:5000/team/web:v2`, `…@sha256:…`. */
export interface ImageReference {
  /** With its registry, always: `docker.io/library/nginx`. */
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

/** One image, the same bytes on every node. */
export interface PinnedImage {
  readonly repository: string;
  readonly digest: Digest;
  /** The tag that it was resolved from, for people. */
  readonly tag?: string;
}

export const DIGEST_PATTERN = /^sha256:[0-9a-f]{64}$/;
const ID_PATTERN = /^[0-9a-f]{64}$/;
const TAG_PATTERN = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const REGISTRY_PATTERN = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\])(?::\d{1,5})?$/;
const PATH_PATTERN = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;

/** Reads a reference; `undefined` where Docker would refuse it. */
export function parseImageReference(text: string): ImageReference | undefined {
  const at = text.indexOf('@');
  const digest = at < 0 ? undefined : text.slice(at + 1);
  if (digest !== undefined && !DIGEST_PATTERN.test(digest)) return undefined;
  const named = at < 0 ? text : text.slice(0, at);
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1);
  const tag = colon < 0 ? undefined : named.slice(colon + 1);
  if (tag !== undefined && !TAG_PATTERN.test(tag)) return undefined;
  const repository = fullRepository(colon < 0 ? named : named.slice(0, colon));
  if (repository === undefined) return undefined;
  return { repository, ...(tag !== undefined && { tag }), ...(digest !== undefined && { digest }) };
}

function fullRepository(text: string): string | undefined {
  const slash = text.indexOf('/');
  const first = text.slice(0, Math.max(slash, 0));
  const namesRegistry = /[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase();
  const registry = namesRegistry ? first : 'docker.io';
  const path = namesRegistry ? text.slice(slash + 1) : text;
  if (!REGISTRY_PATTERN.test(registry) || !PATH_PATTERN.test(path) || path.length > 255) return undefined;
  // What looks like an image's id is never a name.
  if (!namesRegistry && ID_PATTERN.test(path)) return undefined;
  if (registry !== 'docker.io' && registry !== 'index.docker.io') return `${registry}/${path}`;
  return `docker.io/${path.includes('/') ? path : `library/${path}`}`;
}

/** How an engine pulls a pinned image: by digest, never by tag. */
export function pullReference(image: PinnedImage): string {
  return `${image.repository}@${image.digest}`;
}

/** For people: `registry.example/web:v2 (3f2a9c…)`. */
export function describeImage(image: PinnedImage): string {
  const name = image.repository.replace(/^docker\.io\/(library\/)?/, '');
  return `${name}${image.tag === undefined ? '' : `:${image.tag}`} (${shortDigest(image.digest)})`;
}

export function shortDigest(digest: Digest): string {
  return digest.slice('sha256:'.length, 'sha256:'.length + 12);
}
