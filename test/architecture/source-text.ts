import { posix } from 'node:path';

// Reads TypeScript without parsing it. Regular expressions are enough here, and need no dependency that has to follow
// TypeScript's syntax: the formatter writes every import in one shape, and strings and comments are told apart first.

/** A string, a template, or a comment, whichever begins first. */
const TOKEN = /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;
const FROM = /^(?:import|export)\s(?:[^;'"]*?\sfrom\s)?['"]([^'"]+)['"]/gm;
const DYNAMIC = /\bimport\(\s*['"]([^'"]+)['"]/g;

/** The text without its comments. */
export function withoutComments(text: string): string {
  return text.replace(TOKEN, (token) => (token.startsWith('/') ? '' : token));
}

/** Only what runs: no comments, no strings, of templates only what is computed in them. */
export function codeOnly(text: string): string {
  return text.replace(TOKEN, (token) =>
    token.startsWith('`') ? Array.from(token.matchAll(/\$\{([^}]*)\}/g), (part) => part[1]).join(';') : '',
  );
}

/** The strings and templates of a text, with their quotes. */
export function stringsOf(text: string): readonly string[] {
  return (text.match(TOKEN) ?? []).filter((token) => !token.startsWith('/'));
}

/** What a text imports or re-exports from, as written. */
export function specifiersOf(text: string): readonly string[] {
  const code = withoutComments(text);
  return [...code.matchAll(FROM), ...code.matchAll(DYNAMIC)].map((match) => match[1] ?? '');
}

/** The file that a specifier means, as a path from the root, or undefined where it is none of ours. */
export function fileMeant(importer: string, specifier: string): string | undefined {
  if (specifier.startsWith('.')) {
    return posix.join(posix.dirname(importer), specifier);
  }
  const ours = /^@swell\/([^/]+)\/(.+)$/.exec(specifier);
  return ours === null ? undefined : `packages/${ours[1]}/src/${ours[2]}`;
}
