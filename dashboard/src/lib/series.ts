// Views over time: what history answered, with the end of it counted from the live minutes, so
// that the chart moves and still says what the API says.
import { MINUTE, sumKnown, type Minute } from "./fold";

export interface Span {
  from: number;
  to: number;
  step: number;
}

/** The steps that make up the last `length` ms, the running one included. */
export function spanUntil(now: number, length: number, step: number): Span {
  const to = Math.floor(now / step) * step + step;
  return { from: to - length, to, step };
}

/**
 * One value a step of `span`; null where nothing is known. A step that begins no earlier than the
 * oldest live minute is the sum of its minutes; any other, and one in which no minute measured
 * anything, is as history has it.
 */
export function gained(
  span: Span,
  history: ReadonlyMap<number, number | null>,
  minutes: ReadonlyMap<number, Minute>,
): (number | null)[] {
  const oldest = Math.min(...minutes.keys());
  const values: (number | null)[] = [];
  for (let start = span.from; start < span.to; start += span.step) {
    const known = start < oldest ? null : sumKnown(minutesOf(start, span.step, minutes));
    values.push(known ?? history.get(start) ?? null);
  }
  return values;
}

function* minutesOf(start: number, step: number, minutes: ReadonlyMap<number, Minute>) {
  for (let minute = start; minute < start + step; minute += MINUTE) yield minutes.get(minute)?.views_gained;
}

/** Posts are sampled every minute at first and every five later: so long a mean has all of them. */
export const MEAN_STEPS = 5;

/**
 * Views a minute. A gain is booked in the minute in which it was sampled, so single minutes show when
 * posts were sampled; the mean of the last five shows when they were read. Steps of five minutes and
 * more hold that already. The running step is not over: it has no pace yet.
 */
export function pace(values: readonly (number | null)[], step: number, running: number): (number | null)[] {
  const steps = step < MEAN_STEPS * MINUTE ? MEAN_STEPS : 1;
  return values.map((_, i) => {
    if (i >= running) return null;
    const known = values.slice(Math.max(0, i - steps + 1), i + 1).filter((value) => value !== null);
    const sum = sumKnown(known);
    return sum === null ? null : sum / known.length / (step / MINUTE);
  });
}

/** Indices of values without a neighbour: no line leads to them, so they are drawn as points. */
export function alone(values: ArrayLike<number | null | undefined>): number[] {
  return Array.from(values, (_, i) => i).filter(
    (i) => values[i] != null && values[i - 1] == null && values[i + 1] == null,
  );
}

/** First and last of `at`, which ascends, widened to at least `length`: uPlot shows years around a single point. */
export function spread(at: ArrayLike<number>, length: number): [number, number] {
  const [first, last] = [at[0] ?? 0, at[at.length - 1] ?? 0];
  const room = Math.max(0, (length - (last - first)) / 2);
  return [first - room, last + room];
}
