"""The row of a setting: the value that an operator set last, per input."""

from tables.rows import Row


class SettingRow(Row, array_like=True, gc=False):
    """One setting, for all channels or one channel. `set_version`: the highest version seen."""

    set_version: int = 0
    #: None: not set.
    value: bool | int | float | str | None = None
