/** Freezes a value and all that it holds, maps and sets too: whoever changes any of it throws. */
export function deepFreeze<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  if (value instanceof Map || value instanceof Set) forbidChanges(value);
  Object.freeze(value);
  if (value instanceof Map) for (const one of value) deepFreeze(one);
  else if (value instanceof Set) for (const one of value) deepFreeze(one);
  else for (const one of Object.values(value)) deepFreeze(one);
  return value;
}

function forbidChanges(value: Map<unknown, unknown> | Set<unknown>): void {
  const refuse = (): never => {
    throw new TypeError('this collection is frozen');
  };
  for (const name of ['set', 'add', 'delete', 'clear'] as const)
    if (name in value) Object.defineProperty(value, name, { value: refuse });
}
