// How often the page asks for what history may not have yet, or may never have.

interface Try {
  count: number;
  running: boolean;
  nextAt: number;
}

/** At most `most` tries per key, one at a time, `pauseMs` apart. The time is passed in, in ms. */
export class Tries {
  #tries = new Map<string, Try>();

  constructor(
    private readonly most: number,
    private readonly pauseMs: number,
  ) {}

  /** Whether to ask for `key` now. If so the try counts, and runs until `end`. */
  begin(key: string, now: number): boolean {
    const last = this.#tries.get(key) ?? { count: 0, running: false, nextAt: now };
    if (last.running || last.count >= this.most || now < last.nextAt) return false;
    this.#tries.set(key, { ...last, count: last.count + 1, running: true });
    return true;
  }

  /** The try for `key` is over, with or without an answer. */
  end(key: string, now: number): void {
    const last = this.#tries.get(key);
    if (last) this.#tries.set(key, { ...last, running: false, nextAt: now + this.pauseMs });
  }

  /** Forgets every key that is not among `keys`: memory is bounded by what is shown. */
  retain(keys: ReadonlySet<string>): void {
    for (const key of this.#tries.keys()) if (!keys.has(key)) this.#tries.delete(key);
  }

  /** All keys may be tried again: another server may answer. */
  reset(): void {
    this.#tries.clear();
  }
}
