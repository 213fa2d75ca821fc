"""What was seen from epoch to epoch, and what it says of the training."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

_RISEN = 0.02  # a validation loss higher than the lowest by this share is a rise, not noise
_UNFINISHED = 0.5  # of what a loss that knows only the class shares would be: above, little has been learnt
_NOTHING = 0.95  # of the same: above, nothing has
_DIVERGED = 10  # times the same
_KNOWN = 0.9  # training accuracy above which nothing underfits, however unsure


@dataclass
class History:
    """The figures of each epoch, by column: ``epoch``, ``loss``, ``accuracy``, ``val_loss``, …, ``seconds``.

    Training figures are means over the batches as they were seen, while the weights moved (as in Keras);
    validation figures are those of the weights at the end of the epoch.
    """

    columns: dict[str, list[float]] = field(default_factory=dict)

    def add(self, row: Mapping[str, float]) -> None:
        """Append the figures of one epoch."""
        for name, value in row.items():
            self.columns.setdefault(name, []).append(value)

    def __len__(self) -> int:
        return len(self.columns.get("epoch", ()))

    @property
    def best_epoch(self) -> int | None:
        """The epoch, from 1, with the lowest validation loss; None without validation rows."""
        losses = self.columns.get("val_loss")
        if not losses:
            return None
        return 1 + min(range(len(losses)), key=lambda i: losses[i] if math.isfinite(losses[i]) else math.inf)

    def findings(self, chance: float | None = None) -> list[str]:
        """Return in sentences where the training went wrong; ``chance``: the loss of knowing nothing.

        Overfitting: validation loss has risen since its lowest while training loss went on falling. Underfitting: at
        the end even the training texts are hardly known.
        """
        found: list[str] = []
        loss, val_loss = self.columns.get("loss", []), self.columns.get("val_loss", [])
        best = self.best_epoch
        if not loss:
            return found
        if chance is not None and loss[-1] > _DIVERGED * chance:
            return [
                f"Training loss stands at {loss[-1]:.4g}, where guessing by the class shares would give {chance:.3f}: "
                "the training diverged; lower `training.learning_rate`."
            ]
        if best is not None and best < len(self):
            lowest = val_loss[best - 1]
            if min(val_loss[best:]) > lowest and val_loss[-1] > lowest * (1 + _RISEN) and loss[-1] < loss[best - 1]:
                found.append(
                    f"Validation loss has risen since epoch {best}, from {lowest:.3f} to {val_loss[-1]:.3f}, while "
                    "training loss went on falling: from there the network overfits, learning its texts by heart."
                )
        known = self.columns.get("accuracy", [0.0])[-1] > _KNOWN
        if chance is not None and loss[-1] > _UNFINISHED * chance and not known:
            found.append(
                f"Training loss still stands at {loss[-1]:.3f} after {_counted(len(self), 'epoch')}, where guessing by "
                f"the class shares would give {chance:.3f}: the network underfits and needs more epochs or a higher "
                "learning rate."
            )
        elif chance is not None and val_loss and min(val_loss) > _NOTHING * chance:
            found.append(
                f"Validation loss was never lower than {min(val_loss):.3f}, where guessing by the class shares would "
                f"give {chance:.3f}: what the network learnt holds for its own texts alone; more texts help, or the "
                "recipe `fast`."
            )
        return found


def _counted(n: int, what: str) -> str:
    return f"{n:,} {what}" if n == 1 else f"{n:,} {what}s"
