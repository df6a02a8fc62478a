/** `WWW-Authenticate` (RFC 9110): which ways in a registry offers. */

export interface Challenge {
  /** Lower case: `basic`, `bearer`. */
  readonly scheme: string;
  /** Names in lower case, values without their quotes. */
  readonly parameters: Readonly<Record<string, string>>;
}

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const PARAMETER = new RegExp(`\\s*(${TOKEN})\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|([^\\s,"]+))`, 'y');
const SCHEME = new RegExp(`\\s*(${TOKEN})(?=\\s|,|$)`, 'y');
const SEPARATOR = /[\s,]+/y;

/**
 * Reads every challenge of the header, several in one line too, as fetch joins them. Text that follows no grammar ends
 * the reading; what was understood before it stands.
 */
export function parseChallenges(header: string): readonly Challenge[] {
  const challenges: { scheme: string; parameters: Record<string, string> }[] = [];
  let at = 0;
  const next = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(header);
    if (match !== null) at = pattern.lastIndex;
    return match;
  };
  while (at < header.length) {
    const current = challenges.at(-1);
    const parameter = current === undefined ? null : next(PARAMETER);
    if (parameter !== null && current !== undefined) {
      const [, name = '', quoted, plain = ''] = parameter;
      current.parameters[name.toLowerCase()] = quoted?.replace(/\\(.)/g, '$1') ?? plain;
      continue;
    }
    if (next(SEPARATOR) !== null) continue;
    const scheme = next(SCHEME)?.[1];
    if (scheme === undefined) break;
    challenges.push({ scheme: scheme.toLowerCase(), parameters: {} });
  }
  return challenges;
}
