"""The model behind MLflow's pyfunc interface: what `mlflow.pyfunc.load_model` loads and calls."""

from importlib.metadata import version as library_version
from typing import Any

import pandas as pd

from pipeline.classifier import PREDICTION_COLUMNS, PROBABILITY_COLUMNS, SentenceClassifier
from pipeline.errors import DataError
from pipeline.labels import LABELS
from pipeline.model_folder import load_model
from pipeline.modes import Mode

TEXT_COLUMN = "text"
MODE_PARAM = "mode"
USUAL = "usual"
# Columns and MLflow's names of their types.
INPUTS = {TEXT_COLUMN: "string"}
OUTPUTS = {
    name: "boolean" if name in (*LABELS, "uncertain") else "double" if name in PROBABILITY_COLUMNS else "string"
    for name in PREDICTION_COLUMNS
}
EXAMPLE = (
    "Social workers know their children well and visit them often.",
    "By March, the council will recruit a further six advocates.",
)
# What loading a model and predicting with it imports, by the name of the distribution.
REQUIREMENTS = ("joblib", "numpy", "onnxruntime", "pandas", "tokenizers")


class PyfuncClassifier:
    """A sentence classifier with the `predict` that MLflow calls.

    Args:
        classifier: The model.
    """

    def __init__(self, classifier: SentenceClassifier) -> None:
        self.classifier = classifier

    def predict(self, model_input: Any, params: dict[str, Any] | None = None) -> pd.DataFrame:  # noqa: ANN401
        """Label sentences.

        Args:
            model_input: A frame with a column `text`, a series or a list of sentences.
            params: `mode`: "fast", "balanced", "accurate", or "usual" for the model's own choice.

        Returns:
            One row a sentence, with `pipeline.classifier.PREDICTION_COLUMNS`; the index is that of the input.

        Raises:
            DataError: The input is none of these, or a sentence is not text; or there is no such mode.
        """
        texts = _texts(model_input)
        asked = (params or {}).get(MODE_PARAM, USUAL)
        if asked not in (USUAL, *Mode):
            raise DataError(f"mode: found {asked!r}, accepted: {USUAL}, {', '.join(Mode)}.")
        classifier = self.classifier if asked == USUAL else self.classifier.in_mode(Mode(asked))
        table = classifier.predict(texts.tolist())
        return table.set_axis(texts.index)


def pinned_requirements() -> list[str]:
    """Name the libraries that a logged model needs, in the installed releases.

    Returns:
        A line a library, as pip reads it.
    """
    return [f"{name}=={library_version(name)}" for name in REQUIREMENTS]


def _load_pyfunc(path: str) -> PyfuncClassifier:
    """Load a model folder; MLflow calls this by its name.

    Args:
        path: Model folder.

    Returns:
        The model.
    """
    return PyfuncClassifier(load_model(path))


def _texts(model_input: Any) -> "pd.Series[str]":  # noqa: ANN401
    """Take the sentences out of whatever was passed."""
    if isinstance(model_input, pd.DataFrame):
        if TEXT_COLUMN not in model_input.columns:
            found = ", ".join(map(str, model_input.columns)) or "none"
            raise DataError(f"the input has no column '{TEXT_COLUMN}'; found: {found}.")
        texts = model_input[TEXT_COLUMN]
    elif isinstance(model_input, pd.Series):
        texts = model_input
    elif isinstance(model_input, list | tuple):
        texts = pd.Series(list(model_input), dtype="object")
    else:
        raise DataError(
            f"found {type(model_input).__name__}; expected a DataFrame with a column '{TEXT_COLUMN}', or a list of "
            "sentences."
        )
    for place, text in texts.items():
        if not isinstance(text, str):
            raise DataError(f"row {place}: found {text!r}; expected a sentence.")
    return texts
