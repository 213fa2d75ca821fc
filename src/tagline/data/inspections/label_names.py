"""Class names that differ only by case or spaces, which `keep_label_spelling` keeps apart."""

from tagline.data.inspections.base import Finding, InspectedData, Inspection
from tagline.data.labels import spelling_key, visible
from tagline.key_findings import KeyFinding, Kind


def _inspect(data: InspectedData) -> Finding:
    alike: dict[str, list[str]] = {}
    for name in data.classes:
        alike.setdefault(spelling_key(name), []).append(name)
    near = [names for names in alike.values() if len(names) > 1]
    if not near:
        return Finding()
    shown = "; ".join(" and ".join(f"`{visible(name)}`" for name in names) for names in near[:5])
    sentence = f"Labels that differ only by case or spaces are kept as separate classes: {shown}."
    return Finding(key=[KeyFinding(Kind.SIMILAR_LABELS, sentence)])


INSPECTION = Inspection("label names", _inspect, order=50)
