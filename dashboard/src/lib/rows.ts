// The rows of the list of channels: what REST said, brought up to date by the socket.
import { lastMinutes, newestMinute, type ChannelNow } from "./fold";
import { ms } from "./format";
import type { ChannelSummary, Known } from "./live.gen";
import type { Channel } from "./rest.gen";

export interface Row {
  id: number;
  username: string | null;
  name: string;
  status: string;
  reason: string;
  subscribers: number | null;
  lastPost: number | null;
  lastSample: number | null;
  minute: { gained: number | null; start_ms: number } | null;
  /** Views gained in the last 60 minutes, and of how many of them. */
  hour: Known;
  /** Posts since midnight UTC, and of which share of that time. */
  today: Known;
  spark: (number | null)[];
}

export const NOT_KNOWN: Known = { value: null, coverage: 0, n: 0, as_of_ms: null };

export const COLUMNS = ["name", "minute", "hour", "today", "subscribers", "lastPost"] as const;
export type Column = (typeof COLUMNS)[number];

export function rows(channels: readonly Channel[], live: ReadonlyMap<number, ChannelNow>, now: number): Row[] {
  const known = new Map(channels.flatMap((channel) => (channel.id === null ? [] : [[channel.id, channel] as const])));
  const ids = new Set([...known.keys(), ...live.keys()]);
  return [...ids].map((id) => row(id, known.get(id), live.get(id), now));
}

/** Followed by a name of which nobody knows yet which channel it is. */
export function nameless(channels: readonly Channel[]): Channel[] {
  return channels.filter((channel) => channel.id === null);
}

function row(id: number, rest: Channel | undefined, live: ChannelNow | undefined, now: number): Row {
  const summary = live?.summary;
  const username = summary?.username ?? rest?.username ?? null;
  const minute = newestMinute(live, now);
  return {
    ...standingOf(summary, rest),
    id,
    username,
    name: summary?.title ?? rest?.title ?? (username ? `@${username}` : `Channel ${id}`),
    subscribers: summary?.subscribers ?? rest?.subscribers ?? null,
    lastPost: summary?.last_post_at_ms ?? ms(rest?.last_post_at),
    lastSample: summary?.last_sample_at_ms ?? ms(rest?.last_sample_at),
    minute: minute && { gained: minute.views_gained, start_ms: minute.start_ms },
    hour: live?.figures?.hour ?? NOT_KNOWN,
    today: live?.figures?.today ?? NOT_KNOWN,
    spark: lastMinutes(live, now, 60),
  };
}

/**
 * How a channel is observed, and why, for the list and for the channel's own page. Both come from one source:
 * the socket's summary, or REST where the summary does not know.
 */
export function standingOf(
  summary: ChannelSummary | null | undefined,
  rest: Channel | null | undefined,
): Pick<Row, "status" | "reason"> {
  const source = summary && summary.status !== "unknown" ? summary : (rest ?? summary);
  return { status: source?.status ?? "unknown", reason: source?.status_reason ?? "" };
}

/** What was gained, as if all of the time had been like its observed part. */
function pace(hour: Known): number | null {
  return hour.value === null || !hour.coverage ? hour.value : hour.value / hour.coverage;
}

function amount(row: Row, column: Column): number | null {
  switch (column) {
    case "minute":
      return row.minute?.gained ?? null;
    case "hour":
      return pace(row.hour);
    case "today":
      return row.today.value;
    case "name":
      return null;
    default:
      return row[column];
  }
}

/** Highest first (names: A first), or turned round; what is not known comes last either way. */
export function sorted(list: readonly Row[], column: Column, reversed: boolean): Row[] {
  const turn = reversed ? -1 : 1;
  return [...list].sort((a, b) => {
    if (column === "name") return turn * a.name.localeCompare(b.name);
    const [x, y] = [amount(a, column), amount(b, column)];
    if (x === null || y === null) return (x === null ? 1 : 0) - (y === null ? 1 : 0) || a.id - b.id;
    return turn * (y - x) || a.id - b.id;
  });
}
