// Requests to the REST interface, and their answers as reactive state.

import type { Answer } from "./rest.gen";

/** An RFC 9457 problem, or one of our own where no server answered. */
export class Problem extends Error {
  constructor(
    readonly title: string,
    readonly detail: string,
    readonly status: number,
  ) {
    super(title);
  }
}

type Parameters = Record<string, string | number | null | undefined>;

/** GET /api/v1{path}. Throws Problem; the caller's `signal` aborts it silently. */
export async function get<T>(path: string, parameters: Parameters = {}, signal?: AbortSignal): Promise<Answer<T>> {
  const url = new URL(`/api/v1${path}`, location.origin);
  for (const [name, value] of Object.entries(parameters)) {
    if (value != null) url.searchParams.set(name, String(value));
  }
  let response: Response;
  try {
    response = await fetch(url, signal ? { signal } : {});
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem("The server does not answer", "It may be starting or stopped.", 0);
  }
  if (!response.ok) throw await problem(response);
  return (await response.json()) as Answer<T>;
}

async function problem(response: Response): Promise<Problem> {
  let said: { title?: unknown; detail?: unknown } = {};
  try {
    said = (await response.json()) as typeof said;
  } catch {
    // Not JSON: the status has to do.
  }
  const title = typeof said.title === "string" ? said.title : `The server answered ${response.status}`;
  return new Problem(title, typeof said.detail === "string" ? said.detail : "", response.status);
}

/** The newest answer to a question that a view asks again and again; the old one stays meanwhile. */
export class Resource<T> {
  answer = $state.raw<Answer<T> | null>(null);
  problem = $state.raw<Problem | null>(null);
  loading = $state(false);
  #running: AbortController | null = null;

  constructor(private readonly ask: (signal: AbortSignal) => Promise<Answer<T>>) {}

  async load(): Promise<void> {
    this.#running?.abort();
    const running = new AbortController();
    this.#running = running;
    this.loading = true;
    try {
      this.answer = await this.ask(running.signal);
      this.problem = null;
    } catch (error) {
      if (running.signal.aborted) return;
      if (!(error instanceof Problem)) throw error;
      this.problem = error;
    } finally {
      if (this.#running === running) this.loading = false;
    }
  }

  stop(): void {
    this.#running?.abort();
  }
}
