// Light or dark: what the system prefers until somebody chooses. public/theme.js sets it before the
// first paint; this is the choice afterwards. `shown` is what charts redraw on.

type Theme = "light" | "dark";

const system = matchMedia("(prefers-color-scheme: dark)");

function chosen(): Theme | null {
  const value = localStorage.getItem("theme");
  return value === "light" || value === "dark" ? value : null;
}

class ThemeChoice {
  shown = $state<Theme>(chosen() ?? (system.matches ? "dark" : "light"));

  constructor() {
    system.addEventListener("change", () => this.#show(chosen() ?? (system.matches ? "dark" : "light")));
    this.#show(this.shown);
  }

  toggle(): void {
    const next = this.shown === "dark" ? "light" : "dark";
    localStorage.setItem("theme", next);
    this.#show(next);
  }

  #show(theme: Theme): void {
    document.documentElement.dataset["theme"] = theme;
    this.shown = theme;
  }
}

export const theme = new ThemeChoice();
