// The engine's time, which a demo runs faster than the wall clock: set by every live frame, carried on
// between frames while they come, standing still when they do not.

import { untrack } from "svelte";

const CARRY_MS = 3_000;

class EngineClock {
  /** The engine's time now, in ms; moves about four times a second. */
  now = $state(Date.now());
  speed = $state(1);
  /** The wall's time, for pauses and staleness. */
  wall = $state(performance.now());
  #set = { engine: Date.now(), wall: performance.now() };

  constructor() {
    setInterval(() => this.#move(), 250);
  }

  /** What the API is asked for: from so long ago, in whole minutes of the engine's time. Not tracked. */
  since(length: number): string {
    const now = untrack(() => this.now);
    return new Date(Math.floor(now / 60_000) * 60_000 - length).toISOString();
  }

  sync(engineMs: number): void {
    this.#set = { engine: engineMs, wall: performance.now() };
    this.#move();
  }

  #move(): void {
    this.wall = performance.now();
    const carried = Math.min(this.wall - this.#set.wall, CARRY_MS);
    this.now = this.#set.engine + carried * this.speed;
  }
}

export const clock = new EngineClock();
