"""The row of a setting: what an operator set last, as the messages of one input have said it."""

from tables.rows import Row


class SettingRow(Row, array_like=True, gc=False):
    """One name for all channels, or for one. `set_version`: the highest that was seen."""

    set_version: int = 0
    #: None: unset.
    value: bool | int | float | str | None = None
