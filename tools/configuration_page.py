"""docs/CONFIGURATION.md, from the table of options."""

from analyticbot.config import CONFIG_FILE, OPTIONS, Option

HEAD = f"""# Configuration

Every option is an environment variable and a key of `{CONFIG_FILE}` in the working folder (the
variable's name in lower case, without `analyticbot_`). The environment wins. A secret can stay in a
file: name the file in the variable with `_FILE` behind it. `analyticbot doctor` prints what is in
force and where it can be reached; secrets are never printed.

| variable | key | default | meaning |
|---|---|---|---|
"""


def page() -> str:
    return HEAD + "".join(map(_row, OPTIONS))


def _row(option: Option) -> str:
    variable, default = option.variable, option.default
    key = variable.lower().removeprefix("analyticbot_")
    shown = f"`{default}`" if default else "—"
    return f"| `{variable}` | `{key}` | {shown} | {option.meaning} |\n"
