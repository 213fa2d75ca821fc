"""The progress display of a terminal: a spinner and the elapsed time; a bar and the time left if the total is known."""

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, SpinnerColumn, Task, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.text import Text


class _Bar(BarColumn):
    def render(self, task: Task) -> RenderableType:  # type: ignore[override]  # rich asks for a bar; text serves
        return super().render(task) if _is_measured(task) else ""


class _Left(TimeRemainingColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{super().render(task)} left") if _is_measured(task) else Text("")


def stage_display(console: Console) -> Progress:
    """Return the display; a stage whose total is 1 has no bar."""
    return Progress(
        SpinnerColumn(), TextColumn("{task.description}"), _Bar(16), TimeElapsedColumn(), _Left(), console=console
    )


def _is_measured(task: Task) -> bool:
    return (task.total or 0) > 1 and not task.finished
