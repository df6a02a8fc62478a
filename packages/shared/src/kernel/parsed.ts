/** What became of something that came from outside: a value, or everything that is wrong with it. */
export type Parsed<Value> =
  | { readonly ok: true; readonly value: Value }
  /** Each names its field and says what is wanted. Never empty. */
  | { readonly ok: false; readonly problems: readonly string[] };
