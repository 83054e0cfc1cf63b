// Which program answers, and what its numbers are.
import { get, Resource } from "./rest.svelte";
import type { About } from "./rest.gen";

export const about = new Resource<About>((signal) => get("/about", {}, signal));

/** Why a number is not known, in a word or two. */
export function whyUnknown(): string {
  return about.answer?.data.mode === "demo" ? "Not in the recording" : "Not observed yet";
}
