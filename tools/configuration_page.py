"""docs/CONFIGURATION.md, from the table of options."""

from analyticbot.config import CONFIG_FILE, OPTIONS, Option

HEAD = f"""# Configuration

Every option is an environment variable and a key of `{CONFIG_FILE}` in the working folder (the
variable's name in lower case, without `analyticbot_`). The environment takes precedence. A
secret can stay in a file: append `_FILE` to the variable's name and set it to the path.
`analyticbot doctor` prints the options in force and whether the stores answer, but
no secrets.

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
