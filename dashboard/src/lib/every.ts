// Ask again now and then, while somebody looks and somebody answers.
import { live } from "./live.svelte";

/** Calls `task` every `ms` while the page is visible and the socket is live; returns what stops it. */
export function every(ms: number, task: () => void): () => void {
  const timer = setInterval(() => {
    if (document.visibilityState === "visible" && live.fresh) task();
  }, ms);
  return () => clearInterval(timer);
}
