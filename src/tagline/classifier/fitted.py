"""A fitted recipe as a classifier takes it: its held-out rows found among the texts given, and its decision rule."""

from collections.abc import Sequence
from dataclasses import replace

from tagline.decisions.targets import Targets
from tagline.learners import Fitted, HeldOut
from tagline.learners.fit_arguments import FitArguments
from tagline.learners.holdout import row_units
from tagline.task import Task


def located(fitted: Fitted, given: FitArguments) -> Fitted:
    """Return what was fitted with the numbers of held-out rows among the texts given, and their units."""

    def of_texts(found: HeldOut | None) -> HeldOut | None:
        return found and replace(found, rows=given.rows[found.rows], unit=row_units(given.data, found.rows))

    calibrated_on = of_texts(fitted.calibrated_on)
    held_out = calibrated_on if fitted.held_out is fitted.calibrated_on else of_texts(fitted.held_out)
    return replace(fitted, held_out=held_out, calibrated_on=calibrated_on)


def with_rule(fitted: Fitted, targets: Targets, names: Sequence[str], task: Task, positive: str | None) -> Fitted:
    """Return what was fitted with the decision rule that the targets ask for, chosen on the held-out rows."""
    by_default = replace(fitted.rule, positive=None if positive is None else list(names).index(positive))
    seen = fitted.calibrated_on
    rule = targets.rule(by_default, names, task, None if seen is None else (seen.Y, seen.proba, seen.unit))
    chosen = fitted.chosen | ({"threshold": rule.to_json(), "targets": targets.to_json()} if targets else {})
    return replace(fitted, rule=rule, chosen=chosen)
