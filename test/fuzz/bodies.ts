/** Bodies of messages: any bytes at all, and well-formed messages to which something was done, as values and as bytes. */

import * as fc from 'fast-check';
import { changedAt, places, print, type Tree, treeOf } from './json-tree.ts';
import { strangeKey, strangeText, strangeTree } from './strange.ts';

export interface Body {
  readonly bytes: Uint8Array;
  /** Nothing was done to it: it must be taken. */
  readonly wellFormed: boolean;
}

/** Something done to one place of a message. */
interface Edit {
  readonly place: number;
  readonly does: 'drop' | 'replace' | 'twice' | 'wrap' | 'add' | 'rename' | 'text';
  readonly tree: Tree;
  readonly key: string;
}

const edit: fc.Arbitrary<Edit> = fc.record({
  place: fc.nat(200),
  does: fc.constantFrom('drop', 'replace', 'replace', 'replace', 'twice', 'wrap', 'add', 'rename', 'text'),
  tree: strangeTree,
  key: strangeKey,
});

/** Something done to the bytes, wherever letters begin and end. */
type Damage = (bytes: Uint8Array) => Uint8Array;

const at = fc.nat(0xff_ff_ff);
const damage: fc.Arbitrary<Damage> = fc.oneof(
  at.map(
    (place): Damage =>
      (bytes) =>
        bytes.slice(0, place % (bytes.length + 1)),
  ),
  fc.array(fc.tuple(at, fc.nat(7)), { minLength: 1, maxLength: 8 }).map(
    (flips): Damage =>
      (bytes) =>
        flips.reduce((all, [place, bit]) => flipped(all, place, bit), bytes),
  ),
  fc.tuple(at, at, fc.uint8Array({ maxLength: 12 })).map(
    ([from, length, between]): Damage =>
      (bytes) =>
        spliced(bytes, from, length % 8, between),
  ),
  fc.constantFrom([0xef, 0xbb, 0xbf], [0xff, 0xfe], [0x00], [0x0a, 0x20]).map(
    (before): Damage =>
      (bytes) =>
        joined(Uint8Array.from(before), bytes),
  ),
  fc.constantFrom([0x00], [0x0a], [0x7d], [0x2c], [0xc3], [0xed, 0xa0, 0x80]).map(
    (after): Damage =>
      (bytes) =>
        joined(bytes, Uint8Array.from(after)),
  ),
  fc.constant<Damage>((bytes) => new Uint8Array(Buffer.from(new TextDecoder().decode(bytes), 'utf16le'))),
  fc.constant<Damage>((bytes) => new Uint8Array(Buffer.from(new TextDecoder().decode(bytes), 'latin1'))),
  fc.constant<Damage>((bytes) => joined(bytes, bytes)),
);

const anyBytes: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc.json().map(encoded),
  strangeText.map(encoded),
  strangeTree.map((tree) => encoded(print(tree))),
  fc.constantFrom(65_535, 65_536, 65_537, 200_000).map((length) => new Uint8Array(length).fill(0x20)),
);

/** Bodies made of these well-formed messages, and some that have nothing to do with them. */
export function bodies(wellFormed: fc.Arbitrary<unknown>): fc.Arbitrary<Body> {
  const whole = wellFormed.map((value) => bodyOf(encoded(print(treeOf(value))), true));
  const edited = fc
    .tuple(wellFormed, fc.array(edit, { minLength: 1, maxLength: 3 }))
    .map(([value, edits]) => encoded(print(edits.reduce(applied, treeOf(value)))));
  const damaged = fc
    .tuple(
      fc.oneof(
        edited,
        whole.map(({ bytes }) => bytes),
      ),
      fc.array(damage, { minLength: 1, maxLength: 2 }),
    )
    .map(([bytes, damages]) => damages.reduce((all, harm) => harm(all), bytes));
  const spoilt = fc.oneof(
    { weight: 4, arbitrary: edited },
    { weight: 3, arbitrary: damaged },
    { weight: 1, arbitrary: anyBytes },
  );
  return fc.oneof(
    { weight: 1, arbitrary: whole },
    { weight: 4, arbitrary: spoilt.map((bytes) => bodyOf(bytes, false)) },
  );
}

function bodyOf(bytes: Uint8Array, wellFormed: boolean): Body {
  // In a report bytes read best as the text that they nearly are.
  const shown = (): string => `${JSON.stringify(Buffer.from(bytes).toString('latin1'))} (bytes)`;
  return Object.assign({ bytes, wellFormed }, { [fc.toStringMethod]: shown });
}

function applied(tree: Tree, { place, does, tree: strange, key }: Edit): Tree {
  return changedAt(tree, place % places(tree), (part) => {
    switch (does) {
      case 'drop':
        return undefined;
      case 'replace':
        return [strange];
      case 'twice':
        return [part, strange];
      case 'wrap':
        return [{ is: 'array', items: [part] }];
      case 'text':
        return [treeOf(print(part))];
      case 'add':
        return [part.is === 'object' ? { ...part, entries: [...part.entries, [key, strange]] } : strange];
      case 'rename':
        return [
          part.is === 'object'
            ? { ...part, entries: part.entries.map(([, value]) => [key, value]) }
            : strange,
        ];
    }
  });
}

function encoded(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function flipped(bytes: Uint8Array, place: number, bit: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  const index = place % Math.max(1, copy.length);
  copy[index] = (copy[index] ?? 0) ^ (1 << bit);
  return copy;
}

function spliced(bytes: Uint8Array, from: number, length: number, between: Uint8Array): Uint8Array {
  const start = from % (bytes.length + 1);
  return joined(joined(bytes.slice(0, start), between), bytes.slice(start + length));
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array {
  return new Uint8Array(Buffer.concat([one, other]));
}
