"""The progress display of a terminal: a spinner and the elapsed time; a bar and the time left if the total is known."""

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, SpinnerColumn, Task, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.text import Text


class _Bar(BarColumn):
    def render(self, task: Task) -> RenderableType:  # type: ignore[override]  # rich asks for a bar; text serves
        return super().render(task) if _is_measured(task) else ""


class _Left(TimeRemainingColumn):
    def render(self, task: Task) -> Text:
        if not _is_measured(task):
            return Text("")
        stepped = task.fields.get("stepped")
        if task.time_remaining is not None or not stepped or not task.completed:
            return Text(f"{super().render(task)} left")
        # rich estimates from the second step on: a few long steps would have no estimate.
        whole = stepped * task.remaining / task.completed
        seconds = max(0, int(whole - ((task.elapsed or 0.0) - stepped)))
        return Text(f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02} left", style="progress.remaining")


def stage_display(console: Console) -> Progress:
    """Return the display; a stage whose total is 1 has no bar."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        _Bar(16),
        TimeElapsedColumn(),
        _Left(),
        console=console,
        speed_estimate_period=3600,
    )


def _is_measured(task: Task) -> bool:
    return (task.total or 0) > 1 and not task.finished
