// The overview's numbers: what each is called, how it is defined, how it reads.
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

export const GROUPS: Group[] = [
  {
    name: "Reach",
    tiles: [
      tile("views_gained", "Views gained", change, "Increments of view counters observed in the period, whatever the post."),
      tile("reach_1h", "Reach after 1 h", mean, "Mean views of a post 1 hour after publication. All ages shown are of the same posts: those known at every one of them. Unknown at ages at which few posts are known."),
      tile("reach_12h", "Reach after 12 h", mean, "Mean views of a post 12 hours after publication. All ages shown are of the same posts: those known at every one of them. Unknown at ages at which few posts are known."),
      tile("reach_24h", "Reach after 24 h", mean, "Mean views of a post 24 hours after publication. All ages shown are of the same posts: those known at every one of them. Unknown at ages at which few posts are known."),
      tile("reach_48h", "Reach after 48 h", mean, "Mean views of a post 48 hours after publication. All ages shown are of the same posts: those known at every one of them. Unknown at ages at which few posts are known."),
      tile("err24_percent", "ERR24", percent, "Mean views of a post 24 hours after publication / subscribers × 100."),
    ],
  },
  {
    name: "Posts of the period",
    tiles: [
      tile("posts", "Posts", count, "Posts published in the period; an album counts once."),
      tile("posts_per_day", "Posts a day", mean, "Posts published in the period / its days of which all posts were read."),
      tile("views", "Their views", count, "The newest view counters of the posts published in the period, added up."),
      tile("views_per_post_mean", "Mean views", mean, "Views of the posts published in the period / posts."),
      tile("views_per_post_median", "Median views", mean, "The middle one of the posts published in the period, by views."),
      tile("er_by_views_percent", "ER by views", percent, "(forwards + reactions + replies) / views × 100, of the posts of which all four were read at one instant."),
    ],
  },
  {
    name: "Response and audience",
    tiles: [
      tile("forwards", "Forwards", count, "The newest forward counters of the posts published in the period, added up."),
      tile("reactions", "Reactions", count, "The newest reaction counters of the posts published in the period, added up."),
      tile("replies", "Replies", count, "The newest counters of comments of the posts published in the period, added up."),
      tile("subscribers", "Subscribers", count, "The newest number observed before the end of the period."),
      tile("subscribers_change", "Their change", change, "The newest number − the one at the beginning of the period."),
      tile("err_percent", "ERR", percent, "Mean views of a post / subscribers × 100."),
    ],
  },
];

/** Reach is known at the ages that make most of the samples: the first of these that is. */
const REACHES = ["reach_24h", "reach_48h", "reach_12h", "reach_1h"] as const;

/** What is shown first, and large. */
export function large(known: Overview | null): readonly (keyof Overview)[] {
  const reach = REACHES.find((field) => known?.[field] != null) ?? "reach_24h";
  return ["views_gained", reach, "subscribers", "posts_per_day"];
}

/** Figures of a time; the others are of posts. */
const OF_TIME: readonly (keyof Overview)[] = ["views_gained", "posts", "posts_per_day", "subscribers_change"];

/** What a number rests on, where that is not all of what was asked for. */
export function rests({ data, meta }: Answer<Overview>, field: keyof Overview): string {
  const figure = meta.evidence[field];
  if (data[field] === null || !figure || field === "subscribers") return "";
  if (!OF_TIME.includes(field)) return ofPosts(figure.n, data.posts);
  return ofTime(figure.coverage, Date.parse(meta.to ?? "") - Date.parse(meta.from ?? ""));
}
