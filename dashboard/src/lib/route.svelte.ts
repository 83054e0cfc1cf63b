// Which view is shown: / (all channels) or /channels/NAME. The server answers both with this page, and
// with status 404 what is neither: a further view is to be named in api/pages.py as well.

export type Route = { view: "channels" } | { view: "channel"; channel: string } | { view: "nowhere" };

export function read(path: string): Route {
  if (path === "/" || path === "/channels" || path === "/channels/") return { view: "channels" };
  const match = /^\/channels\/([^/]+)\/?$/.exec(path);
  return match?.[1] ? { view: "channel", channel: decodeURIComponent(match[1]) } : { view: "nowhere" };
}

class Router {
  route = $state<Route>(read(location.pathname));

  constructor() {
    addEventListener("popstate", () => this.#show());
    document.addEventListener("click", (event) => this.#follow(event));
  }

  #follow(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (!link || link.target || link.origin !== location.origin) return;
    if (read(link.pathname).view === "nowhere") return;
    event.preventDefault();
    if (link.pathname !== location.pathname) history.pushState(null, "", link.pathname);
    this.#show();
    scrollTo(0, 0);
  }

  #show(): void {
    this.route = read(location.pathname);
  }
}

export const router = new Router();

/** The page of a channel: its username, or its id where it has none. */
export function pageOf(channel: { id: number; username: string | null }): string {
  return `/channels/${encodeURIComponent(channel.username ?? String(channel.id))}`;
}
