"""scikit-learn's estimator interface without importing scikit-learn, which takes a second.

``clone``, ``cross_val_score``, ``GridSearchCV`` and ``Pipeline`` need these methods, not a base class (scikit-learn,
"Developing scikit-learn estimators").
"""

from inspect import Parameter, signature
from typing import Any, Self

from tagline.errors import InputError, nearest
from tagline.recipes import setting_pairs

_NESTED = "settings__"  # what starts the name of one setting, ``settings__features__words``
_ROUTED = ("fit", "score")  # the methods that take metadata: every argument after texts and labels


class Estimator:
    """An estimator: its parameters are the arguments of its constructor; it is fitted if it has ``model_``."""

    settings: Any

    @classmethod
    def _parameters(cls) -> dict[str, Any]:
        """Return the constructor's arguments and their defaults."""
        arguments = list(signature(cls.__init__).parameters.values())[1:]
        return {argument.name: argument.default for argument in arguments}

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by name; ``deep`` is ignored, because none of them has parameters."""
        return {name: getattr(self, name) for name in self._parameters()}

    def changed_params(self) -> dict[str, Any]:
        """Return the parameters that are not the default, by name."""
        defaults = self._parameters()
        # Compared as text, as in scikit-learn: arrays and frames compare element by element.
        return {name: value for name, value in self.get_params().items() if repr(value) != repr(defaults[name])}

    def set_params(self, **params: Any) -> Self:
        """Set parameters by name; ``settings__features__words=2`` sets one of the settings and keeps the others.

        Raises:
            InputError: a name is not that of a parameter.

        """
        nested = {name: value for name, value in params.items() if name.startswith(_NESTED)}
        for name, value in params.items():
            if name in nested:
                continue
            if name not in self._parameters():
                hint = nearest(name, self._parameters())
                raise InputError(f"`{type(self).__name__}` has no parameter `{name}`.{hint}")
            setattr(self, name, value)
        if nested:
            changes = {name.removeprefix(_NESTED).replace("__", "."): value for name, value in nested.items()}
            self.settings = dict(setting_pairs(self.settings or ())) | dict(setting_pairs(changes))
        return self

    def get_metadata_routing(self) -> Any:
        """Return which arguments of ``fit`` and ``score`` are requested from scikit-learn's metadata routing."""
        from sklearn.utils.metadata_routing import MetadataRequest

        if not hasattr(self, "_metadata_request"):
            requests = MetadataRequest(owner=type(self).__name__)
            for method in _ROUTED:
                for name in self._metadata_of(method):
                    getattr(requests, method).add_request(param=name, alias=None)
            return requests
        return self._metadata_request

    def set_fit_request(self, **requests: bool | str | None) -> Self:
        """Request arguments of ``fit``, such as ``sample_weight=True`` or ``groups="author"``, from metadata routing.

        True: pass it if it is given; False: do not; None: raise an error if it is given; a string: its name there.

        Raises:
            InputError: ``fit`` has no such argument, or metadata routing is not enabled.

        """
        return self._request("fit", requests)

    def set_score_request(self, **requests: bool | str | None) -> Self:
        """Request arguments of ``score``, which is ``sample_weight``; see `set_fit_request`."""
        return self._request("score", requests)

    @classmethod
    def _metadata_of(cls, method: str) -> list[str]:
        """Return the arguments of a method after texts and labels."""
        arguments = list(signature(getattr(cls, method)).parameters.values())[3:]
        return [a.name for a in arguments if a.kind not in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)]

    def _request(self, method: str, requests: dict[str, bool | str | None]) -> Self:
        from sklearn import get_config

        if not get_config()["enable_metadata_routing"]:
            raise InputError(
                f"`set_{method}_request` is for metadata routing, which is not enabled: call "
                "`sklearn.set_config(enable_metadata_routing=True)`."
            )
        known = self._metadata_of(method)
        routing = self.get_metadata_routing()
        for name, request in requests.items():
            if name not in known:
                raise InputError(f"`{method}` has no argument `{name}` that can be requested.{nearest(name, known)}")
            getattr(routing, method).add_request(param=name, alias=request)
        self._metadata_request = routing
        return self

    def __repr__(self) -> str:
        changed = [f"{name}={value!r}" for name, value in self.changed_params().items()]
        return f"{type(self).__name__}({', '.join(changed)})"

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "model_")

    def _check_fitted(self) -> None:
        if not self.__sklearn_is_fitted__():
            from sklearn.exceptions import NotFittedError

            raise NotFittedError(f"This {type(self).__name__} is not fitted: call `fit` first.")

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import ClassifierTags, InputTags, Tags, TargetTags

        return Tags(
            estimator_type="classifier",
            target_tags=TargetTags(required=True, two_d_labels=False, multi_output=True),
            classifier_tags=ClassifierTags(multi_label=True),
            input_tags=InputTags(one_d_array=True, two_d_array=False, string=True),
        )
