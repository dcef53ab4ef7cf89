"""inspection-findings: label every sentence of inspection reports as strength, weakness, commitment or none."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.model_folder import load_model

__all__ = ["load_model"]


def __getattr__(name: str) -> Any:  # noqa: ANN401
    """Import on first use, so that `findings --help` need not wait for the libraries behind a model."""
    if name == "load_model":
        from pipeline.model_folder import load_model

        return load_model
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
