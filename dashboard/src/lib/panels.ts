// What the decisions show on a channel's page: every file in src/panels/, in the order of their names.
import type { Component } from "svelte";
import type { ChannelNow } from "./fold";

/** What a panel is given. */
export interface PanelProps extends Record<string, unknown> {
  reference: string;
  /** What the socket has said; undefined before it has said anything. */
  channel: ChannelNow | undefined;
  /** The period that the reader of the page chose, in milliseconds up to now. */
  length: number;
}

type Panel = Component<PanelProps>;

const modules = import.meta.glob<{ default: Panel }>("../panels/*.svelte", { eager: true });
export const PANELS: Panel[] = Object.values(modules).map((module) => module.default);
