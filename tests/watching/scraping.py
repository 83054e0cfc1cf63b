"""What /metrics says, as the series that Prometheus makes of it."""

from collections.abc import Mapping, Sequence

from prometheus_client.parser import text_string_to_metric_families

#: The labels that Prometheus adds to whatever it scrapes.
TARGET = {"job": "analyticbot", "role": "up", "instance": "up:8000"}

Labels = Mapping[str, str]


def series_of(scrapes: Sequence[str], held: int = 0) -> dict[str, str]:
    """One value a scrape, an interval apart; then the last one for so many intervals."""
    values: dict[str, list[str]] = {}
    for number, text in enumerate(scrapes):
        for name, labels, value in samples_of(text):
            known = values.setdefault(_written(name, {**labels, **TARGET}), [])
            known += ["_"] * (number - len(known)) + [f"{value:g}"]
    values["up" + _labels(TARGET)] = ["1"] * len(scrapes)
    return {one: " ".join([*all_, f"{all_[-1]}x{held}"]) for one, all_ in values.items()}


def samples_of(text: str) -> list[tuple[str, Labels, float]]:
    return [
        (sample.name, sample.labels, sample.value)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if not sample.name.endswith("_created")
    ]


def _written(name: str, labels: Labels) -> str:
    return name + _labels(labels)


def _labels(labels: Labels) -> str:
    return "{" + ",".join(f'{name}="{value}"' for name, value in sorted(labels.items())) + "}"
