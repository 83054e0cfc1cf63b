import { expect, test } from "vitest";
import { age } from "../src/lib/format";
import { alone, pace, spread } from "../src/lib/series";

const MINUTE = 60_000;

test("the pace of a minute is the mean of the last five", () => {
  expect(pace([10, 20, 30, 40, 50, 60], MINUTE, 6)).toEqual([10, 15, 20, 25, 30, 40]);
});

test("posts that are sampled every five minutes have an even pace", () => {
  const booked = Array.from({ length: 20 }, (_, i) => (i % 5 === 0 ? 500 : 0));
  expect(new Set(pace(booked, MINUTE, 20).slice(4))).toEqual(new Set([100]));
});

test("what is not known is no zero", () => {
  expect(pace([null, null, 30], MINUTE, 3)).toEqual([null, null, 30]);
});

test("a longer step has its own pace", () => {
  expect(pace([300, null, 600], 15 * MINUTE, 3)).toEqual([20, null, 40]);
});

test("the running step has none yet", () => {
  expect(pace([10, 20, 1], MINUTE, 2)).toEqual([10, 15, null]);
});

test("ages are not rounded", () => {
  expect([0, 30, 300, 3600, 5400, 9000, 86_400, 129_600, 172_800, 216_000].map(age)).toEqual(
    ["0", "30 s", "5 min", "1 h", "1 h 30 min", "2 h 30 min", "24 h", "36 h", "2 d", "2 d 12 h"],
  );
});

test("a value without neighbours is drawn as a point, zero too", () => {
  expect(alone([1, null, 0, null, 3, 4, null, 5])).toEqual([0, 2, 7]);
  expect(alone([null, null])).toEqual([]);
});

test("an axis is an hour long at least, around what there is", () => {
  expect(spread([7200], 3600)).toEqual([5400, 9000]);
  expect(spread([7200, 8200], 3600)).toEqual([5900, 9500]);
  expect(spread([0, 1800, 7200], 3600)).toEqual([0, 7200]);
});
