"""What was seen from epoch to epoch, and what it says of the training."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

_RISEN = 0.02  # a validation loss higher than the lowest by this share is a rise, not noise
_UNFINISHED = 0.5  # of what a loss that knows only the class shares would be: above, little has been learnt


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
        """Return in sentences where the network overfits or underfits; ``chance``: the loss of knowing nothing.

        Overfitting: validation loss has risen since its lowest while training loss went on falling. Underfitting:
        losses still fall when the training ends, and are nearer to chance than to nothing.
        """
        found: list[str] = []
        loss, val_loss = self.columns.get("loss", []), self.columns.get("val_loss", [])
        best = self.best_epoch
        if best is not None and best < len(self):
            lowest = val_loss[best - 1]
            if min(val_loss[best:]) > lowest and val_loss[-1] > lowest * (1 + _RISEN) and loss[-1] < loss[best - 1]:
                found.append(
                    f"Validation loss has risen since epoch {best}, from {lowest:.3f} to {val_loss[-1]:.3f}, while "
                    "training loss went on falling: from there the network overfits, learning its texts by heart."
                )
        watched = val_loss or loss
        still_falls = len(loss) > 1 and loss[-1] < loss[-2] and watched[-1] <= min(watched)
        if still_falls and chance is not None and watched[-1] > _UNFINISHED * chance:
            found.append(
                f"{'Validation' if val_loss else 'Training'} loss still fell in the last epoch and stands at "
                f"{watched[-1]:.3f}, where guessing by the class shares would give {chance:.3f}: the network underfits "
                "and needs more epochs or a higher learning rate."
            )
        return found
