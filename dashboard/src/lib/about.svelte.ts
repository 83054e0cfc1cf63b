// Which program answers, and whether its figures are those of a demo.
import { get, Resource } from "./rest.svelte";
import type { About } from "./rest.gen";

export const about = new Resource<About>((signal) => get("/about", {}, signal));

/** Why a figure is unknown, in a few words. */
export function whyUnknown(): string {
  return about.answer?.data.mode === "demo" ? "Not in the recording" : "Not observed yet";
}
