import { expect, test } from "vitest";
import { Tries } from "../src/lib/tries";

/** How many tries begin when the page looks every second of `seconds`, and each answer is not the one wanted. */
function asked(tries: Tries, key: string, seconds: number): number[] {
  const begun: number[] = [];
  for (let second = 0; second < seconds; second++) {
    if (!tries.begin(key, second * 1000)) continue;
    begun.push(second);
    tries.end(key, second * 1000);
  }
  return begun;
}

test("tries are a pause apart, and end", () => {
  expect(asked(new Tries(3, 2000), "a", 60)).toEqual([0, 2, 4]);
});

test("each key has its own tries", () => {
  const tries = new Tries(2, 2000);
  expect(asked(tries, "album", 60)).toHaveLength(2);
  expect(asked(tries, "next post", 60)).toHaveLength(2);
});

test("one try at a time", () => {
  const tries = new Tries(3, 2000);
  expect(tries.begin("a", 0)).toBe(true);
  expect(tries.begin("a", 9000)).toBe(false);
  tries.end("a", 9000);
  expect(tries.begin("a", 10_999)).toBe(false);
  expect(tries.begin("a", 11_000)).toBe(true);
});

test("what is shown no longer is forgotten, the rest is not", () => {
  const tries = new Tries(1, 2000);
  for (const key of ["a", "b"]) asked(tries, key, 1);
  tries.retain(new Set(["b"]));
  expect(asked(tries, "a", 9)).toHaveLength(1);
  expect(asked(tries, "b", 9)).toHaveLength(0);
});

test("after a reconnection all are tried again; a try from before does not count", () => {
  const tries = new Tries(1, 2000);
  tries.begin("a", 0);
  tries.reset();
  tries.end("a", 1);
  expect(asked(tries, "a", 9)).toHaveLength(1);
});
