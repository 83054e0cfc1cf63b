import { expect, test } from "vitest";
import { apply, empty, fromSnapshot, lastMinutes, MINUTE, newestMinute, newestOf, sumKnown } from "../src/lib/fold";
import type { ActivityWindow, Alert, ChannelSummary, Figures, Known, LiveData, Other, PostCounters } from "../src/lib/live.gen";
import { nameless, rows, sorted, standingOf } from "../src/lib/rows";
import { gained, spanUntil } from "../src/lib/series";

const NOW = Date.UTC(2026, 10, 24, 14, 3, 20);
const RUNNING = Math.floor(NOW / MINUTE) * MINUTE;

function minute(back: number, views_gained: number | null, channel_id = 1): ActivityWindow {
  const start_ms = RUNNING - back * MINUTE;
  const rest = { views_pace: null, forwards_gained: null, replies_gained: null, reactions_gained: null, posts: 0, edits: 0, deletes: 0, samples: 1, closed: false, sampled_from_ms: null, sampled_to_ms: null, top_post_id: null, top_views_gained: null };
  return { kind: "activity", v: 1, channel_id, observed_at_ms: start_ms, start_ms, views_gained, ...rest };
}

function counters(post_ids: number[], views: (number | null)[], dates_ms: number[]): PostCounters {
  const none = post_ids.map(() => null);
  return { kind: "post_counters", v: 1, channel_id: 1, observed_at_ms: NOW, post_ids, dates_ms, views, forwards: none, replies: none, reactions: none };
}

function summary(channel_id: number, title: string): ChannelSummary {
  const rest = { username: null, subscribers: null, first_observed_at_ms: null, last_post_at_ms: null, last_sample_at_ms: null };
  return { kind: "channel", v: 1, channel_id, observed_at_ms: NOW, title, ...rest, status: "live", status_reason: "", status_until_ms: null };
}

function alert(alert_id: string, state: string): Alert {
  return { kind: "alert", v: 1, channel_id: 1, observed_at_ms: NOW, alert_id, type: "spike", state, raised_at_ms: NOW, resolved_at_ms: null, post_id: null, observed: 9, expected: 1, method: "" };
}

const NOTHING: LiveData = { channels: [], figures: [], minutes: [], windows: [], subscribers: [], posts: [], alerts: [], others: [] };

function known(value: number | null, coverage = 1): Known {
  return { value, coverage, n: 1, as_of_ms: NOW };
}

function figures(channel_id: number, hour: Known, today: Known = known(1)): Figures {
  return { kind: "figures", channel_id, observed_at_ms: NOW, hour, today };
}

test("a later window of the same minute replaces the earlier one", () => {
  const live = empty();
  apply(live, minute(0, 5));
  apply(live, minute(0, 7));
  expect(lastMinutes(live.channels.get(1), NOW, 1)).toEqual([7]);
});

test("a channel that is touched is a new object, another one is not", () => {
  const live = empty();
  apply(live, minute(0, 5, 1));
  apply(live, minute(0, 5, 2));
  const [one, two] = [live.channels.get(1), live.channels.get(2)];
  apply(live, minute(0, 6, 1));
  expect(live.channels.get(1)).not.toBe(one);
  expect(live.channels.get(2)).toBe(two);
});

test("a snapshot and the same messages one by one give the same", () => {
  const data = { channels: [summary(1, "A")], figures: [figures(1, known(5))], minutes: [], windows: [minute(1, 5)], subscribers: [], posts: [counters([7], [70], [NOW])], alerts: [alert("x", "raised")], others: [other("1/a", "own.a")] };
  const live = empty();
  for (const change of [...data.windows, ...data.alerts, ...data.others, ...data.figures, ...data.posts, ...data.channels]) apply(live, change);
  expect(live).toEqual(fromSnapshot(data));
});

test("minutes come as columns with a list, and as windows after it", () => {
  const column = { channel_id: 1, from_ms: RUNNING - 2 * MINUTE, views: [4, null, 6] };
  const live = fromSnapshot({ ...NOTHING, minutes: [column] });
  apply(live, minute(0, 7));
  expect(lastMinutes(live.channels.get(1), NOW, 4)).toEqual([null, 4, null, 7]);
});

test("counters replace what was known of the posts they name, and only of those", () => {
  const live = empty();
  apply(live, counters([7, 8], [70, 80], [NOW, NOW]));
  apply(live, counters([8], [81], [NOW]));
  expect([...live.channels.get(1)!.posts.values()].map((post) => post.views)).toEqual([70, 81]);
});

test("an alert that is over is the same alert", () => {
  const live = empty();
  apply(live, alert("x", "raised"));
  apply(live, alert("x", "resolved"));
  expect([...live.alerts.values()].map((a) => a.state)).toEqual(["resolved"]);
});

test("memory is bounded", () => {
  const live = empty();
  for (let back = 1000; back >= 0; back--) apply(live, minute(back, 1));
  for (let i = 0; i < 1000; i++) apply(live, alert(`${i}`, "raised"));
  apply(live, counters(Array.from({ length: 1000 }, (_, i) => i), Array(1000).fill(1), Array(1000).fill(NOW)));
  const channel = live.channels.get(1)!;
  expect(channel.minutes.size).toBeLessThanOrEqual(240);
  expect(channel.minutes.has(RUNNING)).toBe(true);
  expect(live.alerts.size).toBeLessThanOrEqual(200);
  expect(Math.min(...channel.posts.keys())).toBe(700);
});

test("the last minute is the newest full one with a gain, at most three minutes old", () => {
  const live = empty();
  apply(live, minute(0, 9));
  expect(newestMinute(live.channels.get(1), NOW)).toBeNull();
  apply(live, minute(4, 4));
  expect(newestMinute(live.channels.get(1), NOW)).toBeNull();
  apply(live, minute(3, 3));
  apply(live, minute(1, null));
  expect(newestMinute(live.channels.get(1), NOW)?.views_gained).toBe(3);
});

test("nothing known adds up to nothing known", () => {
  expect(sumKnown([])).toBeNull();
  expect(sumKnown([null, undefined])).toBeNull();
  expect(sumKnown([null, 0, 2])).toBe(2);
});

test("a chart's end is the sum of the live minutes, the rest is history", () => {
  const span = spanUntil(NOW, 20 * MINUTE, 5 * MINUTE);
  const live = empty();
  // The oldest minute lies inside a step: of that step history knows more.
  for (let back = 6; back >= 0; back--) apply(live, minute(back, 1));
  const history = new Map([[span.from, 50], [span.from + 5 * MINUTE, null], [span.from + 10 * MINUTE, 60], [span.from + 15 * MINUTE, 999]]);
  const values = gained(span, history, live.channels.get(1)!.minutes);
  expect(values).toEqual([50, null, 60, (RUNNING - (span.to - 5 * MINUTE)) / MINUTE + 1]);
});

test("without live minutes a chart is what history says", () => {
  const span = spanUntil(NOW, 2 * MINUTE, MINUTE);
  expect(span.to).toBe(RUNNING + MINUTE);
  expect(gained(span, new Map([[RUNNING, 3]]), new Map())).toEqual([null, 3]);
});

test("a recorded channel is recorded in the list and on its page", () => {
  const recorded = { ...summary(1, "A"), status: "unknown" };
  const rest = { id: 1, username: "a", title: "A", subscribers: null, followed_since: null, last_post_at: null, last_sample_at: null, status: "recorded", status_reason: "", status_until: null };
  expect(standingOf(recorded, rest).status).toBe("recorded");
  expect(standingOf({ ...recorded, status: "away" }, rest).status).toBe("away");
  expect(standingOf(null, null)).toEqual({ status: "unknown", reason: "" });
});

test("a reason belongs to its status: both are from one source", () => {
  const rest = { id: 1, username: "a", title: "A", subscribers: null, followed_since: null, last_post_at: null, last_sample_at: null, status: "waiting", status_reason: "flood wait of 30 s", status_until: null };
  const live = summary(1, "A");
  expect(standingOf({ ...live, status: "unknown", status_reason: "" }, rest)).toEqual({ status: "waiting", reason: "flood wait of 30 s" });
  expect(standingOf(live, rest)).toEqual({ status: "live", reason: "" });
  expect(standingOf({ ...live, status: "away", status_reason: "timed out" }, rest)).toEqual({ status: "away", reason: "timed out" });
  expect(standingOf({ ...live, status: "unknown", status_reason: "why" }, null)).toEqual({ status: "unknown", reason: "why" });
});

test("where no live minute measured anything, history is asked", () => {
  const span = spanUntil(NOW, MINUTE, MINUTE);
  expect(gained(span, new Map([[RUNNING, 0]]), new Map([[RUNNING, { start_ms: RUNNING, views_gained: null }]]))).toEqual([0]);
});

test("rows: the socket brings REST up to date; unknown comes last in both orders", () => {
  const live = empty();
  apply(live, summary(1, "Live name"));
  apply(live, figures(1, known(5)));
  // Ten minutes of its hour were observed: its pace is the highest.
  apply(live, figures(3, known(4, 1 / 6)));
  const rest = { username: "b", title: "B", subscribers: 10, followed_since: null, last_post_at: null, last_sample_at: null, status: "recorded", status_reason: "why", status_until: null };
  const listed = [{ ...rest, id: 1 }, { ...rest, id: 2 }, { ...rest, id: null, username: "typo", status: "not_found" }];
  const list = rows(listed, live.channels, NOW);
  expect(nameless(listed).map((channel) => channel.username)).toEqual(["typo"]);
  expect(list.map((row) => row.reason)).toEqual(["", "why", ""]);
  expect(list.map((row) => [row.id, row.name, row.hour.value])).toEqual([[1, "Live name", 5], [2, "B", null], [3, "Channel 3", 4]]);
  expect(sorted(list, "hour", false).map((row) => row.id)).toEqual([3, 1, 2]);
  expect(sorted(list, "hour", true).map((row) => row.id)).toEqual([1, 3, 2]);
  expect(sorted(list, "name", false).map((row) => row.id)).toEqual([2, 3, 1]);
});

function other(key: string, kind: string, channel_id = 1): Other {
  return { kind: "other", channel_id, observed_at_ms: NOW, key, message: { kind, channel_id, observed_at_ms: NOW } };
}

test("what decisions say in kinds of their own is kept by key, and the newest of a kind is found", () => {
  const live = fromSnapshot({ ...NOTHING, others: [other("1/a", "own.a"), other("1/b", "own.b")] });
  const before = live.channels.get(1)!;
  const later = other("1/a", "own.a");
  apply(live, later);
  const now = live.channels.get(1)!;
  expect(now).not.toBe(before);
  expect([...now.others.keys()]).toEqual(["1/b", "1/a"]);
  // Kinds of packages are not among those that this page's types name.
  const find = newestOf as (channel: typeof now, kind: string) => unknown;
  expect(find(now, "own.a")).toBe(later.message);
  expect(find(now, "own.c")).toBeNull();
});

test("of a channel that says much in kinds of decisions the newest are kept", () => {
  const live = empty();
  for (let number = 0; number < 400; number++) apply(live, other(`1/${number}`, "own.a"));
  const kept = [...live.channels.get(1)!.others.keys()];
  expect(kept.length).toBe(300);
  expect(kept.at(-1)).toBe("1/399");
});
