"""The figures of each epoch, and findings on overfitting and underfitting."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

_RISEN = 0.02  # a validation loss higher than the lowest one by this share is a rise, not noise
_UNDERFITTED = 0.5  # a training loss above this share of the loss of predicting the class shares is underfitting
_NOT_GENERALISED = 0.95  # a validation loss above this share of it shows that nothing was learned for other texts
_DIVERGED = 10  # a training loss above this multiple of it shows divergence
_ACCURATE = 0.9  # with a training accuracy above this, a high loss is not underfitting


@dataclass
class History:
    """The figures of each epoch, by column: ``epoch``, ``loss``, ``accuracy``, ``val_loss``, …, ``seconds``.

    Training figures are means over the batches during the epoch, while the weights change (as in Keras); validation
    figures are those of the weights at the end of the epoch.
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
        """Return sentences on overfitting, underfitting and divergence.

        Overfitting: after its minimum the validation loss rises while the training loss falls. Underfitting: the final
        training loss is close to that of predicting the class shares.

        Args:
            chance: the loss of predicting the class shares; None: unknown, and only overfitting is reported.

        """
        found: list[str] = []
        loss, val_loss = self.columns.get("loss", []), self.columns.get("val_loss", [])
        best = self.best_epoch
        if not loss:
            return found
        if chance is not None and loss[-1] > _DIVERGED * chance:
            return [
                f"The training diverged: training loss is {loss[-1]:.4g}, predicting the class shares gives "
                f"{chance:.3f}. Lower `training.learning_rate`."
            ]
        if best is not None and best < len(self):
            lowest = val_loss[best - 1]
            if min(val_loss[best:]) > lowest and val_loss[-1] > lowest * (1 + _RISEN) and loss[-1] < loss[best - 1]:
                found.append(
                    f"The network overfits after epoch {best}: validation loss rose from {lowest:.3f} to "
                    f"{val_loss[-1]:.3f}, while training loss fell."
                )
        accurate = self.columns.get("accuracy", [0.0])[-1] > _ACCURATE
        if chance is not None and loss[-1] > _UNDERFITTED * chance and not accurate:
            found.append(
                f"The network underfits: training loss is {loss[-1]:.3f} after {_counted(len(self), 'epoch')}, "
                f"predicting the class shares gives {chance:.3f}. Train for more epochs or with a higher learning rate."
            )
        elif chance is not None and val_loss and min(val_loss) > _NOT_GENERALISED * chance:
            found.append(
                f"The network does not generalise: validation loss was never below {min(val_loss):.3f}, predicting the "
                f"class shares gives {chance:.3f}. Use more texts or the recipe `fast`."
            )
        return found


def _counted(n: int, what: str) -> str:
    return f"{n:,} {what}" if n == 1 else f"{n:,} {what}s"
