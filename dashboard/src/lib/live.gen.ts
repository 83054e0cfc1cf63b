// Written by `make generated`: change the structs in Python, not this file.

/** What a channel gained in the minute [start_ms, start_ms + 60 000). */
export interface ActivityWindow {
  kind: "activity";
  v: number;
  channel_id: number;
  observed_at_ms: number;
  start_ms: number;
  views_gained: number | null;
  forwards_gained: number | null;
  replies_gained: number | null;
  reactions_gained: number | null;
  posts: number;
  edits: number;
  deletes: number;
  samples: number;
  closed: boolean;
  views_pace: number | null;
  sampled_from_ms: number | null;
  sampled_to_ms: number | null;
  top_post_id: number | null;
  top_views_gained: number | null;
}

/** Something that a person should know. `state`: raised, updated, resolved. */
export interface Alert {
  kind: "alert";
  v: number;
  channel_id: number;
  observed_at_ms: number;
  alert_id: string;
  type: string;
  state: string;
  raised_at_ms: number;
  resolved_at_ms: number | null;
  post_id: number | null;
  observed: number;
  expected: number | null;
  method: string;
}

export interface Changes {
  type: "changes";
  now_ms: number;
  cursor: string;
  data: Upsert[];
}

/** The newest that is known of a channel. */
export interface ChannelSummary {
  kind: "channel";
  v: number;
  channel_id: number;
  observed_at_ms: number;
  title: string | null;
  username: string | null;
  subscribers: number | null;
  first_observed_at_ms: number | null;
  last_post_at_ms: number | null;
  last_sample_at_ms: number | null;
  status: string;
  status_reason: string;
  status_until_ms: number | null;
}

/** What the list of channels shows of one: sent again when it changes, and every minute. */
export interface Figures {
  kind: "figures";
  channel_id: number;
  observed_at_ms: number;
  hour: Known;
  today: Known;
}

export interface Gap {
  type: "gap";
  now_ms: number;
  from: string | null;
  reason: string;
}

/** A figure, and what it rests on. */
export interface Known {
  value: number | null;
  coverage: number;
  n: number;
  as_of_ms: number | null;
}

/** The newest of everything live, bounded: see `api.live_view` for how much that is. */
export interface LiveData {
  channels: ChannelSummary[];
  figures: Figures[];
  minutes: Minutes[];
  windows: ActivityWindow[];
  subscribers: SubscribersWindow[];
  posts: PostCounters[];
  alerts: Alert[];
  others: Other[];
}

/** Views gained in minutes that follow one another: what windows say, as one column. */
export interface Minutes {
  channel_id: number;
  from_ms: number;
  views: (number | null)[];
}

/** A message of a kind that a decision declares beside itself. */
export interface Other {
  kind: "other";
  channel_id: number;
  observed_at_ms: number;
  key: string;
  message: unknown;
}

/** The newest counters of posts, as columns: what moved with one message. */
export interface PostCounters {
  kind: "post_counters";
  v: number;
  channel_id: number;
  observed_at_ms: number;
  post_ids: number[];
  dates_ms: (number | null)[];
  views: (number | null)[];
  forwards: (number | null)[];
  replies: (number | null)[];
  reactions: (number | null)[];
}

export interface Snapshot {
  type: "snapshot";
  now_ms: number;
  cursor: string;
  data: LiveData;
}

/** Subscribers in [start_ms, start_ms + size_ms): size is a minute, an hour or a day (UTC). */
export interface SubscribersWindow {
  kind: "subscribers";
  v: number;
  channel_id: number;
  observed_at_ms: number;
  start_ms: number;
  size_ms: number;
  first: number;
  last: number;
  low: number;
  high: number;
  samples: number;
  closed: boolean;
}

/** Sent about once a second while nothing changes. */
export interface Tick {
  type: "tick";
  now_ms: number;
}

export interface Upsert {
  key: string;
  value: ActivityWindow | SubscribersWindow | PostCounters | ChannelSummary | Alert | Figures | Other;
}

export type LiveMessage = Snapshot | Changes | Tick | Gap;

export type Change = Upsert['value'];

/** What an `Other` may carry, of this program's own decisions. */
export type Declared = never;
