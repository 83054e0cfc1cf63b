"""docs/CONFIGURATION.md, from the table of options and the settings of decisions."""

from typing import Any

from agents.engine.setting import Setting
from agents.pipeline import plan
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
SETTINGS = """
## Settings of decisions

Settings of decisions are not options of a process: the control store keeps them, and they can be
changed while everything runs, for all channels or for one. A change reaches every worker within
five seconds; a replay applies it from the same message on.

```sh
analyticbot settings
analyticbot settings set spikes.factor 6
analyticbot settings set spikes.least 200 --channel @durov
analyticbot settings unset spikes.factor
```

| setting | default | accepted | meaning |
|---|---|---|---|
"""


def page() -> str:
    settings = map(_setting_row, plan().settings)
    return HEAD + "".join(map(_row, OPTIONS)) + SETTINGS + "".join(settings)


def _setting_row(setting: Setting[Any]) -> str:
    default = f"{setting.default:g}" if isinstance(setting.default, float) else setting.default
    return f"| `{setting.name}` | `{default}` | {setting.accepted} | {setting.about} |\n"


def _row(option: Option) -> str:
    variable, default = option.variable, option.default
    key = variable.lower().removeprefix("analyticbot_")
    shown = f"`{default}`" if default else "—"
    return f"| `{variable}` | `{key}` | {shown} | {option.meaning} |\n"
