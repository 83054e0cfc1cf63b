// Ask again now and then, while somebody looks.

/** Calls `task` every `ms` while the page is visible; returns what stops it. */
export function every(ms: number, task: () => void): () => void {
  const timer = setInterval(() => {
    if (document.visibilityState === "visible") task();
  }, ms);
  return () => clearInterval(timer);
}
