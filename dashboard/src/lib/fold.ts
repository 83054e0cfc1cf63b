// How live messages add up to what is shown. The same rules for a snapshot and for changes: a later
// message replaces the earlier one of its key. No Svelte, no sockets here.
import type { ActivityWindow, Alert, Change, ChannelSummary, Declared, Figures, LiveData, Minutes } from "./live.gen";

export const MINUTE = 60_000;
const MINUTES_KEPT = 240;
const POSTS_KEPT = 300;
const ALERTS_KEPT = 200;
const OTHERS_KEPT = 300;

export interface PostNow {
  post_id: number;
  date_ms: number | null;
  observed_at_ms: number;
  views: number | null;
  forwards: number | null;
  replies: number | null;
  reactions: number | null;
}

/** What is kept of a minute. */
export type Minute = Pick<ActivityWindow, "start_ms" | "views_gained">;

/** What the socket has said of one channel. A new object for every message that touches it. */
export interface ChannelNow {
  id: number;
  summary: ChannelSummary | null;
  figures: Figures | null;
  /** By start_ms, in order of first arrival. */
  minutes: Map<number, Minute>;
  posts: Map<number, PostNow>;
  /** What decisions say in kinds of their own, by key, in order of arrival. */
  others: Map<string, Told>;
}

/** What every message says. One of a decision that this page does not know has more. */
export interface Told {
  kind: string;
  channel_id: number;
  observed_at_ms: number;
}

export interface Live {
  channels: Map<number, ChannelNow>;
  alerts: Map<string, Alert>;
}

export function empty(): Live {
  return { channels: new Map(), alerts: new Map() };
}

export function fromSnapshot(data: LiveData): Live {
  const live = empty();
  for (const column of data.minutes) applyColumn(live, column);
  const parts: Change[][] = [data.channels, data.figures, data.windows, data.subscribers, data.posts, data.alerts, data.others];
  for (const part of parts) for (const change of part) apply(live, change);
  return live;
}

/** Fold one message into `live`, in place; the channel it touches becomes a new object. */
export function apply(live: Live, change: Change): void {
  if (change.kind === "alert") {
    live.alerts.delete(change.alert_id);
    live.alerts.set(change.alert_id, change);
    trim(live.alerts, ALERTS_KEPT);
    return;
  }
  const channel = touched(live, change.channel_id);
  switch (change.kind) {
    case "channel":
      channel.summary = change;
      break;
    case "activity":
      channel.minutes.set(change.start_ms, change);
      trim(channel.minutes, MINUTES_KEPT);
      break;
    case "figures":
      channel.figures = change;
      break;
    case "subscribers":
      break;
    case "other":
      channel.others.delete(change.key);
      channel.others.set(change.key, change.message as Told);
      trim(channel.others, OTHERS_KEPT);
      break;
    case "post_counters":
      change.post_ids.forEach((post_id, i) => {
        channel.posts.set(post_id, {
          post_id,
          date_ms: change.dates_ms[i] ?? null,
          observed_at_ms: change.observed_at_ms,
          views: change.views[i] ?? null,
          forwards: change.forwards[i] ?? null,
          replies: change.replies[i] ?? null,
          reactions: change.reactions[i] ?? null,
        });
      });
      trimPosts(channel.posts);
      break;
    default:
      // A kind that is declared is folded, or named above as one that the page does not show.
      change satisfies never;
  }
}

function applyColumn(live: Live, column: Minutes): void {
  const { minutes } = touched(live, column.channel_id);
  column.views.forEach((views_gained, i) => {
    const start_ms = column.from_ms + i * MINUTE;
    minutes.set(start_ms, { start_ms, views_gained });
  });
}

function touched(live: Live, id: number): ChannelNow {
  const channel = { ...(live.channels.get(id) ?? blank(id)) };
  live.channels.set(id, channel);
  return channel;
}

function blank(id: number): ChannelNow {
  return { id, summary: null, figures: null, minutes: new Map(), posts: new Map(), others: new Map() };
}

function trim<K, V>(map: Map<K, V>, kept: number): void {
  for (const key of map.keys()) {
    if (map.size <= kept) return;
    map.delete(key);
  }
}

function trimPosts(posts: Map<number, PostNow>): void {
  if (posts.size <= POSTS_KEPT) return;
  const oldest = [...posts.keys()].sort((a, b) => a - b).slice(0, posts.size - POSTS_KEPT);
  for (const id of oldest) posts.delete(id);
}

/** What a decision said last of a channel, in a kind of its own. */
export function newestOf<K extends Declared["kind"]>(
  channel: ChannelNow | undefined,
  kind: K,
): Extract<Declared, { kind: K }> | null {
  const told = [...(channel?.others.values() ?? [])].filter((one) => one.kind === kind);
  return (told.at(-1) as Extract<Declared, { kind: K }> | undefined) ?? null;
}

/** Views gained in each of the last `count` minutes up to the running one, oldest first. */
export function lastMinutes(channel: ChannelNow | undefined, now: number, count: number): (number | null)[] {
  const running = Math.floor(now / MINUTE) * MINUTE;
  return Array.from(
    { length: count },
    (_, i) => channel?.minutes.get(running - (count - 1 - i) * MINUTE)?.views_gained ?? null,
  );
}

/** The sum of what is known; null where nothing is. */
export function sumKnown(values: Iterable<number | null | undefined>): number | null {
  let sum: number | null = null;
  for (const value of values) if (value != null) sum = (sum ?? 0) + value;
  return sum;
}

/** The newest full minute with a known gain, at most three minutes old. */
export function newestMinute(channel: ChannelNow | undefined, now: number): Minute | null {
  const running = Math.floor(now / MINUTE) * MINUTE;
  for (let back = 1; back <= 3; back++) {
    const window = channel?.minutes.get(running - back * MINUTE);
    if (window && window.views_gained !== null) return window;
  }
  return null;
}
