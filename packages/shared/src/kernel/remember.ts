/**
 * A function that knows its last answer for each key, as long as the key lives and is asked with the same rest. For pure
 * functions of immutable values: it changes nothing but how long they take.
 */
export function rememberLast<Key extends object, Rest extends readonly unknown[], Answer>(
  answer: (key: Key, ...rest: Rest) => Answer,
): (key: Key, ...rest: Rest) => Answer {
  const known = new WeakMap<Key, { readonly rest: Rest; readonly answer: Answer }>();
  return (key, ...rest) => {
    const last = known.get(key);
    if (last?.rest.every((part, index) => part === rest[index]) === true) return last.answer;
    const fresh = answer(key, ...rest);
    known.set(key, { rest, answer: fresh });
    return fresh;
  };
}
