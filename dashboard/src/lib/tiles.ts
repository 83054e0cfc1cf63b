// The overview's figures: label, definition and format of each.
import { change, count, mean, ofPosts, ofTime, percent } from "./format";
import type { Answer, Overview } from "./rest.gen";

export interface Tile {
  field: keyof Overview;
  label: string;
  definition: string;
  read: (value: number | null) => string;
}

export interface Group {
  name: string;
  tiles: Tile[];
}

function tile(field: keyof Overview, label: string, read: Tile["read"], definition: string): Tile {
  return { field, label, definition, read };
}

function reach(field: keyof Overview, hours: number): Tile {
  const after = hours === 1 ? "1 hour" : `${hours} hours`;
  return tile(
    field,
    `Reach after ${hours} h`,
    mean,
    `Mean views of a post ${after} after publication. All ages shown rest on the same posts: those known at each of these ages. Ages at which too few posts are known are not shown.`,
  );
}

function sum(field: keyof Overview, label: string, counters: string): Tile {
  return tile(field, label, count, `The newest ${counters} of the posts published in the period, added up.`);
}

export const GROUPS: Group[] = [
  {
    name: "Reach",
    tiles: [
      tile("views_gained", "Views gained", change, "Increments of view counters observed in the period, of posts of any age."),
      reach("reach_1h", 1),
      reach("reach_12h", 12),
      reach("reach_24h", 24),
      reach("reach_48h", 48),
      tile("err24_percent", "ERR24", percent, "Mean views of a post 24 hours after publication ÷ subscribers × 100."),
    ],
  },
  {
    name: "Posts in the period",
    tiles: [
      tile("posts", "Posts", count, "Posts published in the period; an album counts once."),
      tile("posts_per_day", "Posts per day", mean, "Posts published in the period ÷ the days of it that were read."),
      sum("views", "Views of these posts", "view counters"),
      tile("views_per_post_mean", "Mean views", mean, "Mean of the newest view counters of the posts published in the period."),
      tile("views_per_post_median", "Median views", mean, "Median of the newest view counters of the posts published in the period."),
      tile("er_by_views_percent", "ER by views", percent, "(forwards + replies + reactions) ÷ views × 100, of the posts that have all four counters from the same instant."),
    ],
  },
  {
    name: "Engagement and audience",
    tiles: [
      sum("forwards", "Forwards", "forward counters"),
      sum("reactions", "Reactions", "reaction counters"),
      sum("replies", "Replies", "comment counters"),
      tile("subscribers", "Subscribers", count, "The newest number observed before the end of the period."),
      tile("subscribers_change", "Change of subscribers", change, "The newest number observed in the period − the one at its beginning: the newest of the 24 hours before it, otherwise the first one in the period."),
      tile("err_percent", "ERR", percent, "Mean views of a post ÷ subscribers × 100."),
    ],
  },
];

/** Which ages of reach are known depends on how the posts were sampled; the first known of these is shown large. */
const REACHES = ["reach_24h", "reach_48h", "reach_12h", "reach_1h"] as const;

/** What is shown first, and large. */
export function large(known: Overview | null): readonly (keyof Overview)[] {
  const reach = REACHES.find((field) => known?.[field] != null) ?? "reach_24h";
  return ["views_gained", reach, "subscribers", "posts_per_day"];
}

/** Figures that rest on observed time; the others rest on posts. */
const OF_TIME: readonly (keyof Overview)[] = ["views_gained", "posts", "posts_per_day", "subscribers_change"];

/** What a figure rests on; empty where it rests on all of what was asked for. */
export function rests({ data, meta }: Answer<Overview>, field: keyof Overview): string {
  const figure = meta.evidence[field];
  if (data[field] === null || !figure || field === "subscribers") return "";
  if (!OF_TIME.includes(field)) return ofPosts(figure.n, data.posts);
  return ofTime(figure.coverage, Date.parse(meta.to ?? "") - Date.parse(meta.from ?? ""));
}
