"""TensorBoard: event files in ``tensorboard/`` of the run folder, where ``tensorboard --logdir runs`` finds them."""

import json
import shutil
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from tagline.runs.tracking.figures import Parameter
from tagline.storage.atomic import temporary_folder

if TYPE_CHECKING:
    from tensorboard.compat.proto.summary_pb2 import Summary

FOLDER = "tensorboard"
_FLUSH_SECONDS = 5  # how old the figures of a training may be in TensorBoard


class TensorBoard:
    """The event files of one run; while it is trained they lie in ``kept``, if it can be resumed."""

    def __init__(self, kept: Path | None) -> None:
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        self._kept = kept is not None
        self._temporary = ExitStack()
        self._folder = self._temporary.enter_context(temporary_folder()) if kept is None else kept / FOLDER
        self._resumed = self._folder.exists() and self._kept
        self._writer = EventFileWriter(str(self._folder), flush_secs=_FLUSH_SECONDS)

    def start(self, name: str, parameters: Mapping[str, Parameter]) -> None:
        """Write the parameters as hyperparameters and as a text, unless the run is resumed."""
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.compat.proto.tensor_pb2 import TensorProto
        from tensorboard.compat.proto.types_pb2 import DT_STRING
        from tensorboard.plugins.hparams.summary_v2 import hparams_pb
        from tensorboard.plugins.text.metadata import create_summary_metadata

        if self._resumed:
            return
        self._add(hparams_pb(dict(parameters)), 0)
        # The text is Markdown: indented lines are shown verbatim.
        words = "\n".join(f"    {key} = {json.dumps(value, ensure_ascii=False)}" for key, value in parameters.items())
        text = TensorProto(dtype=DT_STRING, string_val=[words.encode()])
        metadata = create_summary_metadata(display_name="", description="")
        self._add(Summary(value=[Summary.Value(tag="recipe", metadata=metadata, tensor=text)]), 0)

    def epoch(self, number: int, figures: Mapping[str, float]) -> None:
        """Write the figures with the epoch as their step."""
        self._scalars(figures, number)

    def finish(self, figures: Mapping[str, float], folder: Path) -> None:
        """Write the final figures and move the files into the run folder."""
        self._scalars(figures, 0)
        self._writer.close()
        shutil.move(self._folder, folder / FOLDER)
        self._temporary.close()

    def failed(self, error: BaseException) -> None:
        """Close the files; they are kept if the run can be resumed."""
        self._writer.close()
        self._temporary.close()

    def _scalars(self, figures: Mapping[str, float], step: int) -> None:
        from tensorboard.compat.proto.summary_pb2 import Summary

        values = [Summary.Value(tag=name, simple_value=value) for name, value in figures.items()]
        self._add(Summary(value=values), step)

    def _add(self, summary: "Summary", step: int) -> None:
        from tensorboard.compat.proto.event_pb2 import Event

        self._writer.add_event(Event(wall_time=time.time(), step=step, summary=summary))
