"""scikit-learn's estimator interface without importing scikit-learn, which takes a second.

``clone``, ``cross_val_score``, ``GridSearchCV`` and ``Pipeline`` need these methods, not a base class (scikit-learn,
"Developing scikit-learn estimators").
"""

from inspect import signature
from typing import Any, Self

from tagline.errors import InputError, nearest


class Estimator:
    """An estimator: its parameters are the arguments of its constructor; it is fitted if it has ``model_``."""

    @classmethod
    def _parameters(cls) -> dict[str, Any]:
        """Return the constructor's arguments and their defaults."""
        arguments = list(signature(cls.__init__).parameters.values())[1:]
        return {argument.name: argument.default for argument in arguments}

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by name; ``deep`` is ignored, because none of them has parameters."""
        return {name: getattr(self, name) for name in self._parameters()}

    def set_params(self, **params: Any) -> Self:
        """Set parameters by name.

        Raises:
            InputError: a name is not that of a parameter.

        """
        for name, value in params.items():
            if name not in self._parameters():
                hint = nearest(name, self._parameters())
                raise InputError(f"`{type(self).__name__}` has no parameter `{name}`.{hint}")
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        defaults = self._parameters()
        changed = [f"{name}={value!r}" for name, value in self.get_params().items() if value != defaults[name]]
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
            target_tags=TargetTags(required=True),
            classifier_tags=ClassifierTags(),
            input_tags=InputTags(one_d_array=True, two_d_array=False, string=True),
        )
