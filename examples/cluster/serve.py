"""A model as a deployment of Ray Serve: replicas on the nodes of a cluster, which score requests in batches.

::

    pip install tagline 'ray[serve]'
    TAGLINE_MODEL=runs/NAME/model serve run serve:app
    curl -d '{"text": "A quiet masterpiece."}' http://127.0.0.1:8000/

Each node needs the folder of the model at the same path, in its image or on a shared file system. `tagline serve` has
what this lacks: explanations, API keys, limits, metrics, the web page.
"""

import json
import os
from pathlib import Path
from typing import Any

from ray import serve
from starlette.requests import Request
from starlette.responses import JSONResponse

from tagline import TextClassifier
from tagline.runs.predicting.predict import predict_texts


@serve.deployment(num_replicas=2, max_ongoing_requests=256, ray_actor_options={"num_cpus": 1})
class Model:
    """Answers `{"text": …}` with the prediction and its probability."""

    def __init__(self, folder: str) -> None:
        self._classifier = TextClassifier.load(folder)

    async def __call__(self, request: Request) -> JSONResponse:
        """Answer a request."""
        try:
            text = json.loads(await request.body())["text"]
        except (ValueError, TypeError, KeyError):
            text = None
        if not isinstance(text, str):
            return JSONResponse({"error": 'Send a JSON object such as {"text": "A quiet masterpiece."}.'}, 422)
        return JSONResponse(await self._predict(text))

    @serve.batch(max_batch_size=256, batch_wait_timeout_s=0.002)
    async def _predict(self, texts: list[str]) -> list[dict[str, Any]]:
        rows = predict_texts(self._classifier, texts).drop("text").to_dicts()
        # `reason` is a column if any text has one; the answer to a text must not depend on the others.
        return [{name: value for name, value in row.items() if (name, value) != ("reason", None)} for row in rows]


app = Model.bind(str(Path(os.environ["TAGLINE_MODEL"]).resolve()))
