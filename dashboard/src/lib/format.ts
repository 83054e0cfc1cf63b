// How numbers and times read, everywhere on the page. Times are UTC, as in the API.
// What is not known is a dash, never 0.

export const UNKNOWN = "—";

const GROUPED = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const COMPACT = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const TENTHS = new Intl.NumberFormat("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const HUNDREDTHS = new Intl.NumberFormat("en", {
  minimumFractionDigits: 2,
  maximumFractionDigits: 2,
});

type Maybe<T> = T | null | undefined;

/** 1,234,567 */
export function count(value: Maybe<number>): string {
  return value == null ? UNKNOWN : GROUPED.format(value);
}

/** 1.2M where there is little room; up to 9,999 in full. */
export function compact(value: Maybe<number>): string {
  if (value == null) return UNKNOWN;
  return Math.abs(value) < 10_000 ? GROUPED.format(value) : COMPACT.format(value);
}

/** A change, with its sign: +1,234, −5, 0. */
export function change(value: Maybe<number>): string {
  if (value == null) return UNKNOWN;
  if (value === 0) return "0";
  return `${value > 0 ? "+" : "−"}${GROUPED.format(Math.abs(value))}`;
}

/** A change where there is little room: +12.3K. */
export function compactChange(value: Maybe<number>): string {
  if (value == null) return UNKNOWN;
  if (value === 0) return "0";
  return `${value > 0 ? "+" : "−"}${compact(Math.abs(value))}`;
}

/** 12.3 %; small ones with two decimals. */
export function percent(value: Maybe<number>): string {
  if (value == null) return UNKNOWN;
  return `${(Math.abs(value) < 1 ? HUNDREDTHS : TENTHS).format(value)} %`;
}

/** A share, 0 to 1: 99.9 %. Never 100 % of what is not all of it. */
export function portion(share: number): string {
  return `${TENTHS.format(Math.floor(share * 1000) / 10)} %`.replace(".0 %", " %");
}

/** "30 of 60 min", "12 min of 24 h": the observed part of a time. Empty where (nearly) all of it was observed. */
export function ofTime(coverage: number, length: number): string {
  const unit = length <= 2 * 3_600_000 ? 60_000 : length <= 2 * 86_400_000 ? 3_600_000 : 86_400_000;
  const name = unit === 60_000 ? "min" : unit === 3_600_000 ? "h" : "d";
  const step = unit === 60_000 ? 1 : 0.1;
  const [whole, part] = [length / unit, Math.floor((coverage * length) / unit / step) * step];
  if (part >= whole - 1.5 * step) return "";
  if (coverage > 0 && part < 1) return `${duration((coverage * length) / 1000)} of ${+whole.toFixed(1)} ${name}`;
  return `${+part.toFixed(1)} of ${+whole.toFixed(1)} ${name}`;
}

/** "53 of 640 posts". Empty where it is all of them. */
export function ofPosts(n: number, posts: number | null): string {
  if (n === posts) return "";
  return posts === null ? `${count(n)} posts` : `${count(n)} of ${count(posts)} posts`;
}

/** A mean: one decimal below 100. */
export function mean(value: Maybe<number>): string {
  if (value == null) return UNKNOWN;
  return (Math.abs(value) < 100 ? TENTHS : GROUPED).format(value);
}

/** 0 s, 12 min, 3 h, 2 d. */
export function duration(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 48 * 3600) return `${Math.floor(s / 3600)} h`;
  return `${Math.floor(s / 86400)} d`;
}

/** An age as an axis says it, without rounding: 30 s, 5 min, 1 h 30 min, 3 d. */
export function age(seconds: number): string {
  const units: [string, number][] = [["d", 86_400], ["h", 3600], ["min", 60], ["s", 1]];
  // Hours up to two days, because ages of posts are read in hours.
  const from = seconds >= 172_800 ? 0 : 1;
  const parts: string[] = [];
  let left = Math.max(0, Math.round(seconds));
  for (const [name, size] of units.slice(from)) {
    const whole = Math.floor(left / size);
    if (whole) parts.push(`${whole} ${name}`);
    left -= whole * size;
  }
  return parts.slice(0, 2).join(" ") || "0";
}

/** "12 min ago", at the instant `now`. */
export function ago(at: Maybe<number>, now: number): string {
  return at == null ? UNKNOWN : `${duration((now - at) / 1000)} ago`;
}

const options = { timeZone: "UTC", hourCycle: "h23" } as const;
const TIME = new Intl.DateTimeFormat("en-GB", { ...options, hour: "2-digit", minute: "2-digit" });
const SECONDS = new Intl.DateTimeFormat("en-GB", { ...options, timeStyle: "medium" });
const DAY = new Intl.DateTimeFormat("en-GB", { ...options, day: "numeric", month: "short" });
const WEEKDAY = new Intl.DateTimeFormat("en-GB", { ...options, weekday: "short" });
const YEAR = new Intl.DateTimeFormat("en-GB", { ...options, year: "numeric" });

/** 14:03 */
export function time(at: number): string {
  return TIME.format(at);
}

/** 14:03:05 UTC */
export function seconds(at: number): string {
  return `${SECONDS.format(at)} UTC`;
}

/** 24 Nov */
export function day(at: number): string {
  return DAY.format(at);
}

/** Tue 24 Nov, 14:03 UTC */
export function instant(at: Maybe<number>): string {
  if (at == null) return UNKNOWN;
  return `${WEEKDAY.format(at)} ${DAY.format(at)}, ${TIME.format(at)} UTC`;
}

/** 24 Nov 2026 */
export function date(at: Maybe<number>): string {
  return at == null ? UNKNOWN : `${DAY.format(at)} ${YEAR.format(at)}`;
}

/** Milliseconds of an ISO 8601 time of the API; null stays null. */
export function ms(iso: Maybe<string>): number | null {
  return iso == null ? null : Date.parse(iso);
}
