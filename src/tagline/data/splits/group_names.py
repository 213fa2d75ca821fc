"""Groups of rows that stay in one split, whatever the case, spaces or number format of their names."""

import polars as pl

from tagline.data.labels import spelling_key, visible

_SHOWN = 3


def unify_groups(groups: pl.Series, column: str) -> tuple[pl.Series, tuple[str, ...]]:
    """Return names of groups, the first spelling of each, and a note on those that were merged.

    >>> unify_groups(pl.Series(["g1", "G1 ", None, "g2"]), "user")[0].to_list()
    ['g1', 'g1', None, 'g2']
    """
    first: dict[str, str] = {}
    names = {
        name: first.setdefault(spelling_key(name), name) for name in groups.drop_nulls().unique(maintain_order=True)
    }
    merged = {name: chosen for name, chosen in names.items() if name != chosen}
    if not merged:
        return groups, ()
    shown = ", ".join(f"`{visible(name)}` to `{visible(chosen)}`" for name, chosen in list(merged.items())[:_SHOWN])
    more = f" and {len(merged) - _SHOWN:,} more" if len(merged) > _SHOWN else ""
    note = f"Spellings of one group of `{column}` were merged: {shown}{more}. Rename groups that are not the same."
    return groups.replace(list(merged), list(merged.values())), (note,)
