"""Processes side by side: what they tell, how they fail, and that none is left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tagline.engines.base import Message, Report, Work
from tagline.engines.processes import ProcessWorkers
from tagline.errors import InputError
from tagline.parallel import cores


def prepare(about: str) -> Work:
    def work(task: Any, report: Report) -> Any:
        if task == "cores":
            return cores()
        if task == "blas":
            import numpy  # noqa: F401
            from threadpoolctl import threadpool_info

            return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]
        if task == "sentence":
            raise InputError("This cannot be learnt.")
        if task == "fault":
            raise ZeroDivisionError("division\nby zero")
        if task == "memory":
            raise MemoryError
        if task == "disk":
            raise OSError("33059 requested and 13280 written")  # of NumPy
        if task == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if task == "asleep":
            time.sleep(600)
        if task == "parts":
            parts = 0
            while report(parts):
                parts += 1
            return parts
        return f"{about} {task}"

    return work


def prepare_slowly(about: str) -> Work:
    time.sleep(1)
    return prepare(about)


@pytest.fixture(scope="module")
def workers() -> Iterator[ProcessWorkers]:
    with ProcessWorkers(2, prepare, "did") as pool:
        yield pool


def answer(workers: ProcessWorkers, *tasks: Any) -> list[Message]:
    """Give tasks and return what became of each, in order."""
    messages: dict[Any, Message] = {}
    left = list(tasks)
    while len(messages) < len(tasks):
        while left and workers.n_idle:
            workers.submit(left.pop(0))
        for message in workers.poll(30):
            if message.kind == "report":
                workers.reply(message.task, go_on=message.value < 3)
            else:
                messages[message.task] = message
    return [messages[task] for task in tasks]


def test_python_files_in_the_working_directory_are_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "socket.py").write_text("open('was_run', 'w').close()\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with ProcessWorkers(1, prepare, "did") as workers:
        assert [message.value for message in answer(workers, "a")] == ["did a"]
    assert not Path("was_run").exists()


def test_more_tasks_than_processes(workers: ProcessWorkers) -> None:
    messages = answer(workers, *"abcde")
    assert [message.value for message in messages] == [f"did {name}" for name in "abcde"]
    assert workers.n_idle == 2


def test_the_cores_are_shared(workers: ProcessWorkers) -> None:
    cores_message, blas_message = answer(workers, "cores", "blas")
    assert cores_message.value == max(1, cores() // 2)
    assert set(blas_message.value) == {cores_message.value}


def test_parts_are_answered(workers: ProcessWorkers) -> None:
    assert answer(workers, "parts", "a") == [Message("parts", "done", 3), Message("a", "done", "did a")]


@pytest.mark.parametrize(
    ("task", "sentence"),
    [
        ("sentence", "This cannot be learnt."),
        ("fault", "Unexpected ZeroDivisionError: division by zero"),
        ("memory", "There was not enough memory."),
        ("disk", "The disk is full."),
        ("killed", "Its process was ended by SIGKILL, as happens when memory runs out."),
    ],
)
def test_a_failed_task_is_reported_and_the_others_continue(workers: ProcessWorkers, task: str, sentence: str) -> None:
    messages = answer(workers, task, "a", "b")
    assert messages[0] == Message(task, "failed", sentence)
    assert [message.kind for message in messages[1:]] == ["done", "done"]


def test_the_time_of_a_task_is_without_that_in_which_its_process_starts() -> None:
    with ProcessWorkers(1, prepare_slowly, "did") as slow:
        slow.submit("a")
        began = time.monotonic()
        while not slow.n_idle:
            slow.poll(0.05)
            ((_, (_, seconds)),) = slow.running.items() or ((0, ("", 0.0)),)
            assert seconds < 0.5
        assert time.monotonic() - began > 1


def test_a_task_can_be_stopped(workers: ProcessWorkers) -> None:
    workers.submit("asleep")
    assert workers.n_idle == 1
    ((pid, (task, _)),) = workers.running.items()
    assert task == "asleep"
    workers.kill(pid)
    assert workers.n_idle == 2
    assert not psutil.pid_exists(pid)
    assert answer(workers, "a")[0].value == "did a"


PARENT = """
import sys
sys.path.insert(0, {folder!r})
from tests.engines.test_processes import ProcessWorkers, prepare
if __name__ == "__main__":
    with ProcessWorkers(1, prepare, "did") as workers:
        workers.submit("a")
        while not workers.poll(30):
            pass
        workers.submit("asleep")
        print(*workers.running, flush=True)
        while not workers.poll(600):
            pass
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_none_outlives_the_process_that_started_it(number: signal.Signals, tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT.format(folder=str(Path(__file__).parents[2])))
    parent = subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    with parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        parent.send_signal(number)
        parent.wait(30)
    assert not psutil.wait_procs([child], timeout=30)[1]


INTERRUPTED = """
import os, signal, sys
sys.path.insert(0, {folder!r})
from tests.engines.test_processes import ProcessWorkers, answer, prepare
if __name__ == "__main__":
    signal.signal(signal.SIGINT, lambda number, frame: None)
    with ProcessWorkers(1, prepare, "did") as workers:
        os.killpg(0, signal.SIGINT)
        print(answer(workers, "a")[0].value)
"""


def test_ctrl_c_does_not_reach_a_process_that_is_starting(tmp_path: Path) -> None:
    """A terminal sends it to all of them; the one that leads decides."""
    script = tmp_path / "parent.py"
    script.write_text(INTERRUPTED.format(folder=str(Path(__file__).parents[2])))
    ran = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, start_new_session=True)
    assert (ran.stdout, ran.stderr) == ("did a\n", "")
