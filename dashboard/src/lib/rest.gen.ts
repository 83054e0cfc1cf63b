// Written by `make generated`: change the structs in Python, not this file.

/** Which program this is, what time it is in it, and what its numbers are. */
export interface About {
  name: string;
  version: string;
  mode: string;
  now: string;
  speed: number;
  measured: string;
  modelled: string;
  credits: string[];
}

export interface Alert {
  alert_id: string;
  channel_id: number;
  type: string;
  state: string;
  raised_at: string;
  resolved_at: string | null;
  post_id: number | null;
  observed: number;
  expected: number | null;
  method: string;
  url: string | null;
  text: string | null;
}

export interface Channel {
  id: number | null;
  username: string | null;
  title: string | null;
  subscribers: number | null;
  followed_since: string | null;
  last_post_at: string | null;
  last_sample_at: string | null;
  status: string;
  status_reason: string;
  status_until: string | null;
}

export interface Curve {
  points: CurvePoint[];
}

export interface CurvePoint {
  observed_at: string;
  age_s: number;
  views: number | null;
  forwards: number | null;
  replies: number | null;
  reactions: number | null;
}

/** One message of a decision: the newest with its key. */
export interface Decided {
  key: string;
  observed_at: string;
  message: unknown;
}

/** What one figure, or one series, rests on. */
export interface Figure {
  coverage: number;
  n: number;
  as_of: string | null;
}

export interface Growth {
  points: GrowthPoint[];
}

export interface GrowthPoint {
  time: string;
  subscribers: number | null;
  change: number | null;
  coverage: number;
}

/** What an answer rests on. */
export interface Meta {
  as_of: string | null;
  from: string | null;
  to: string | null;
  coverage: number;
  evidence: Record<string, Figure>;
  sources: string[];
  cursor?: string | null;
}

/** The figures of a range. */
export interface Overview {
  subscribers: number | null;
  subscribers_change: number | null;
  posts: number | null;
  views: number | null;
  views_gained: number | null;
  forwards: number | null;
  replies: number | null;
  reactions: number | null;
  views_per_post_mean: number | null;
  views_per_post_median: number | null;
  err_percent: number | null;
  err24_percent: number | null;
  er_by_views_percent: number | null;
  posts_per_day: number | null;
  reach_1h: number | null;
  reach_12h: number | null;
  reach_24h: number | null;
  reach_48h: number | null;
}

export interface Post {
  post_id: number;
  date: string;
  text: string;
  url: string | null;
  views: number | null;
  forwards: number | null;
  replies: number | null;
  reactions: number | null;
  er_by_views_percent: number | null;
  velocity_per_h: number | null;
  edited: boolean;
  deleted: boolean;
}

/** An error, as RFC 9457 has it. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  instance: string;
}

export interface Views {
  points: ViewsPoint[];
}

export interface ViewsPoint {
  time: string;
  views_gained: number | null;
  forwards_gained: number | null;
  replies_gained: number | null;
  reactions_gained: number | null;
  posts: number | null;
  coverage: number;
}

export interface Answer<T> {
  data: T;
  meta: Meta;
}
