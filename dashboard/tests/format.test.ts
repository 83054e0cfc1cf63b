import { expect, test } from "vitest";
import { ago, change, compact, compactChange, count, date, duration, instant, mean, ms, ofPosts, ofTime, percent, portion, seconds } from "../src/lib/format";

const AT = Date.UTC(2026, 10, 24, 14, 3, 5);

test("what is not known is a dash, never 0", () => {
  for (const read of [count, compact, change, compactChange, percent, mean, instant, date]) {
    expect(read(null)).toBe("—");
    expect(read(undefined)).toBe("—");
  }
  expect(ago(null, AT)).toBe("—");
  expect(ms(null)).toBeNull();
});

test("zero is zero", () => {
  expect([count(0), compact(0), change(0), percent(0)]).toEqual(["0", "0", "0", "0.00 %"]);
});

test("numbers are grouped, signed and shortened", () => {
  expect(count(1234567)).toBe("1,234,567");
  expect([change(1234), change(-5)]).toEqual(["+1,234", "−5"]);
  expect([compact(9999), compact(12345), compactChange(-12345)]).toEqual(["9,999", "12.3K", "−12.3K"]);
  expect([percent(12.34), percent(0.731)]).toEqual(["12.3 %", "0.73 %"]);
  expect([mean(8.71), mean(52639.1)]).toEqual(["8.7", "52,639"]);
});

test("times are UTC", () => {
  expect(instant(AT)).toBe("Tue 24 Nov, 14:03 UTC");
  expect(date(AT)).toBe("24 Nov 2026");
  expect(seconds(AT)).toBe("14:03:05 UTC");
});

test("durations take one unit", () => {
  expect([0, 59, 60, 3599, 3600, 172_799, 172_800].map(duration)).toEqual(
    ["0 s", "59 s", "1 min", "59 min", "1 h", "47 h", "2 d"],
  );
  expect(ago(AT - 720_000, AT)).toBe("12 min ago");
  expect(ago(AT + 1000, AT)).toBe("0 s ago");
});

test("a part is never called the whole", () => {
  const [hour, day] = [3_600_000, 86_400_000];
  expect([portion(0.9999), portion(1), portion(0.4)]).toEqual(["99.9 %", "100 %", "40 %"]);
  expect([ofTime(0.5, hour), ofTime(0.999, hour), ofTime(0, hour)]).toEqual(["30 of 60 min", "", "0 of 60 min"]);
  expect([ofTime(0.2535, day), ofTime(0.3, 7 * day)]).toEqual(["6 of 24 h", "2.1 of 7 d"]);
  expect([ofTime(0.01, 7 * day), ofTime(0.001, hour)]).toEqual(["1 h of 7 d", "3 s of 60 min"]);
  expect([ofTime(0.01, day), ofTime(0.0416, day), ofTime(0.06, day), ofTime(0.1, 7 * day)]).toEqual(["14 min of 24 h", "59 min of 24 h", "1.4 of 24 h", "16 h of 7 d"]);
  expect([ofPosts(53, 640), ofPosts(640, 640), ofPosts(53, null)]).toEqual(["53 of 640 posts", "", "53 posts"]);
});
