// The colours and axes that all charts share, read from the style sheet so that both themes hold.
import type uPlot from "uplot";
import { compact, day, time } from "../lib/format";

export interface Palette {
  ink: string;
  faint: string;
  line: string;
  accent: string;
  soft: string;
  bad: string;
  ground: string;
}

export function palette(): Palette {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  return {
    ink: colour("--ink"),
    faint: colour("--ink-3"),
    line: colour("--line"),
    accent: colour("--accent"),
    soft: colour("--accent-soft"),
    bad: colour("--bad"),
    ground: colour("--surface"),
  };
}

const FONT = '11px "Inter", system-ui, sans-serif';

/** Time below; the day where it is midnight. Values are seconds, as uPlot has them. */
export function timeAxis(colours: Palette): uPlot.Axis {
  return {
    stroke: colours.faint,
    font: FONT,
    size: 26,
    gap: 6,
    space: 64,
    grid: { show: false },
    ticks: { show: false },
    values: (_, splits) =>
      splits.map((s) => (s % 86_400 === 0 ? day(s * 1000) : time(s * 1000))),
  };
}

/** Amounts at the left, few and whole. */
export function amountAxis(colours: Palette): uPlot.Axis {
  return {
    stroke: colours.faint,
    font: FONT,
    size: 46,
    gap: 6,
    space: 34,
    grid: { stroke: colours.line, width: 1 },
    ticks: { show: false },
    incrs: [1, 2, 5, 10, 20, 50, 1e2, 2e2, 5e2, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6, 2e6, 5e6, 1e7, 1e8, 1e9],
    values: (_, splits) => splits.map((v) => compact(v)),
  };
}

/** UTC, whatever the browser's zone. */
export function utc(seconds: number): Date {
  const local = new Date(seconds * 1000);
  return new Date(local.getTime() + local.getTimezoneOffset() * 60_000);
}
