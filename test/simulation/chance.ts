/** All chance of a simulated world comes from one seed, through streams that do not disturb each other. */

/** sfc32 (Chris Doty-Humphrey's PractRand): small, fast, and passes what matters here. */
export class Chance {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: string) {
    [this.#a, this.#b, this.#c] = hash(seed);
    for (let warm = 0; warm < 12; warm += 1) this.next();
  }

  /** A stream of its own, which draws the same whatever the others draw. */
  fork(name: string): Chance {
    return new Chance(`${this.#a}.${this.#b}.${this.#c}/${name}`);
  }

  /** 0 ≤ x < 1 */
  next(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return (sum >>> 0) / 2 ** 32;
  }

  /** Happens with this probability? */
  happens(probability: number): boolean {
    return this.next() < probability;
  }

  between(min: number, max: number): number {
    return min + this.next() * (max - min);
  }

  whole(min: number, max: number): number {
    return Math.floor(this.between(min, max + 1));
  }

  /** Most draws are short, a few are long: what delays look like. */
  exponential(mean: number): number {
    return -Math.log(1 - this.next()) * mean;
  }

  pick<Item>(items: readonly Item[]): Item {
    const item = items[Math.floor(this.next() * items.length)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  }
}

function hash(text: string): [number, number, number] {
  // FNV-1a, three times with different bases: a seed only has to be spread, not hidden.
  const bases = [0x811c9dc5, 0x01000193, 0x9e3779b9];
  const words = bases.map((base) => {
    let word = base;
    for (let at = 0; at < text.length; at += 1) word = Math.imul(word ^ text.charCodeAt(at), 0x01000193);
    return word | 0;
  });
  return words as [number, number, number];
}
