"""The time left of a stage with a few long steps."""

import io

from rich.console import Console

from tagline.cli.progress import stage_display


def test_the_time_left_is_known_after_one_of_few_steps():
    clock = [0.0]
    display = stage_display(Console(file=io.StringIO()))
    display.get_time = lambda: clock[0]
    task = display.add_task("training", total=3)
    clock[0] = 100.0
    display.update(task, completed=1, stepped=display.tasks[0].elapsed)
    clock[0] = 130.0
    left = display.columns[-1]
    assert str(left.render(display.tasks[0])) == "0:02:50 left"  # two steps of 100 seconds, 30 of which are over
