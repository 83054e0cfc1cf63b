// The one live socket of the page: a snapshot, then changes; resumed after a break from the last cursor;
// growing pauses with jitter between tries. What it received is in `channels` and `alerts`.
import { SvelteMap } from "svelte/reactivity";
import { clock } from "./clock.svelte";
import { apply, empty, fromSnapshot, type ChannelNow, type Live } from "./fold";
import type { Alert, LiveMessage } from "./live.gen";

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;
/** No frame for so long: what is shown is stale. */
const STALE_MS = 5_000;
/** No frame for so long: the connection is closed and opened again. */
const DEAD_MS = 15_000;
/** However fast changes come, they are shown so often: eyes and phones need no more. */
const SHOW_EVERY_MS = 250;

export type Connection =
  | { state: "connecting" }
  | { state: "live" }
  | { state: "stale"; since: number }
  | { state: "reconnecting"; inSeconds: number };

class LiveSocket {
  channels = new SvelteMap<number, ChannelNow>();
  alerts = new SvelteMap<string, Alert>();
  /** Whether a snapshot has arrived since the page was opened. */
  started = $state(false);
  /** Grows with every connection and snapshot: what REST said before is asked for again. */
  sessions = $state(0);
  #live: Live = empty();
  #socket: WebSocket | null = null;
  #cursor: string | null = null;
  #failures = 0;
  #heard = $state(performance.now());
  #retryAt = $state<number | null>(null);
  #heardAt = $state(0);
  #open = $state(false);
  /** Channels by id and alerts by theirs that changed since they were shown. */
  #touched = new Set<number | string>();
  #shownAt = 0;
  #later: ReturnType<typeof setTimeout> | null = null;

  get connection(): Connection {
    if (this.#retryAt !== null) {
      return { state: "reconnecting", inSeconds: Math.max(0, Math.ceil((this.#retryAt - clock.wall) / 1000)) };
    }
    // A server that was never heard cannot be stale.
    if (clock.wall - this.#heard > STALE_MS && this.#heardAt > 0) return { state: "stale", since: this.#heardAt };
    return { state: this.#open && this.started ? "live" : "connecting" };
  }

  /** The server's time when it was last heard; 0 if never. */
  get heardAt(): number {
    return this.#heardAt;
  }

  /** Whether the server answers, so that requests are worth sending. */
  get fresh(): boolean {
    return this.connection.state === "live";
  }

  /** Called once, when the page is shown. */
  start(): void {
    this.#connect();
    setInterval(() => this.#check(), 1_000);
    addEventListener("online", () => this.retryNow());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.retryNow();
    });
  }

  /** Do not wait for the pause to end. */
  retryNow(): void {
    if (this.#retryAt !== null) this.#connect();
  }

  #connect(): void {
    this.#retryAt = null;
    this.#heard = performance.now();
    const url = new URL("/api/v1/live", location.origin.replace(/^http/, "ws"));
    if (this.#cursor !== null) url.searchParams.set("resume", this.#cursor);
    const socket = new WebSocket(url);
    this.#socket = socket;
    socket.onmessage = (event: MessageEvent<string>) => {
      if (socket === this.#socket) this.#hear(JSON.parse(event.data) as LiveMessage);
    };
    socket.onclose = () => {
      if (socket === this.#socket) this.#pause();
    };
  }

  #pause(): void {
    this.#socket = null;
    this.#open = false;
    const longest = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#failures++);
    this.#retryAt = performance.now() + longest * (0.5 + Math.random() / 2);
  }

  #check(): void {
    if (this.#retryAt !== null) {
      if (performance.now() >= this.#retryAt) this.#connect();
    } else if (performance.now() - this.#heard > DEAD_MS) {
      this.#socket?.close();
      this.#pause();
    }
  }

  #hear(message: LiveMessage): void {
    this.#heard = performance.now();
    this.#heardAt = message.now_ms;
    this.#failures = 0;
    if (!this.#open && message.type !== "snapshot") this.sessions++;
    this.#open = true;
    clock.sync(message.now_ms);
    switch (message.type) {
      case "snapshot":
        this.#cursor = message.cursor;
        this.#replace(fromSnapshot(message.data));
        break;
      case "changes":
        this.#cursor = message.cursor;
        this.#change(message.data);
        break;
      case "gap": // A snapshot follows.
      case "tick":
        break;
      default:
        message satisfies never;
    }
  }

  #replace(live: Live): void {
    this.#live = live;
    this.#touched.clear();
    this.channels.clear();
    this.alerts.clear();
    for (const [id, channel] of live.channels) this.channels.set(id, channel);
    for (const [id, alert] of live.alerts) this.alerts.set(id, alert);
    this.started = true;
    this.sessions++;
  }

  #change(upserts: Extract<LiveMessage, { type: "changes" }>["data"]): void {
    for (const { value } of upserts) {
      apply(this.#live, value);
      this.#touched.add(value.kind === "alert" ? value.alert_id : value.channel_id);
    }
    const pause = this.#shownAt + SHOW_EVERY_MS - performance.now();
    if (pause <= 0) this.#show();
    else this.#later ??= setTimeout(() => this.#show(), pause);
  }

  /** What changed since the last time becomes visible: at once when nothing did lately. */
  #show(): void {
    clearTimeout(this.#later ?? undefined);
    this.#later = null;
    this.#shownAt = performance.now();
    for (const id of this.#touched) {
      if (typeof id === "number") {
        const channel = this.#live.channels.get(id);
        if (channel) this.channels.set(id, channel);
      } else {
        const alert = this.#live.alerts.get(id);
        if (alert) this.alerts.set(id, alert);
      }
    }
    this.#touched.clear();
  }
}

export const live = new LiveSocket();
