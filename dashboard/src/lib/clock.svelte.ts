// The engine's time, which a demo runs faster than the wall clock: set by every live frame, carried on
// between frames while they come, standing still when they do not.

import { untrack } from "svelte";

const CARRY_MS = 3_000;
/** Shown at once, and not at the next move. */
const LEAP_MS = 2_000;

class EngineClock {
  /** The engine's time now, in ms; moves twice a second. */
  now = $state(Date.now());
  speed = $state(1);
  /** The wall's time, for pauses and staleness. */
  wall = $state(performance.now());
  #set = { engine: Date.now(), wall: performance.now() };

  constructor() {
    setInterval(() => this.#move(), 500);
  }

  /** What the API is asked for: from so long ago, in whole minutes of the engine's time. Not tracked. */
  since(length: number): string {
    const now = untrack(() => this.now);
    return new Date(Math.floor(now / 60_000) * 60_000 - length).toISOString();
  }

  /** What the engine's time is at this moment. */
  sync(engineMs: number): void {
    const leap = Math.abs(engineMs - this.now) > LEAP_MS * this.speed;
    this.#set = { engine: engineMs, wall: performance.now() };
    if (leap) this.#move();
  }

  #move(): void {
    this.wall = performance.now();
    const carried = Math.min(this.wall - this.#set.wall, CARRY_MS);
    this.now = this.#set.engine + carried * this.speed;
  }
}

export const clock = new EngineClock();
