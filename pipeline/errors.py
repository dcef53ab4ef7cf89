"""The errors that a person may see, each with the exit code that the command line gives it."""

from collections.abc import Sequence

_MOST_LISTED = 50


class FindingsError(Exception):
    """Something that the user can mend; the message names the file, what was found and what to do next."""

    exit_code = 1


class UsageError(FindingsError):
    """The command or its arguments cannot be carried out as given."""

    exit_code = 2


class ParamsError(FindingsError):
    """params.yaml holds a key or a value that is not accepted."""


class DocumentError(FindingsError):
    """A document cannot be read; the message is the reason that failures.csv shows."""


class FetchError(FindingsError):
    """A file cannot be fetched; the message is the reason that the list of failures shows."""


class DataError(FindingsError):
    """A label file, sentence table or dataset is not as documented."""


def wrong_rows(where: str, problems: Sequence[str], remedy: str) -> DataError:
    """Put all problems of a file that people write into one error.

    Args:
        where: What holds the rows, e.g. "label files".
        problems: What is wrong, each with its place.
        remedy: Where the format is described.

    Returns:
        The error to raise; it lists the first fifty.
    """
    listed = "\n  ".join(problems[:_MOST_LISTED])
    more = f"\n  and {len(problems) - _MOST_LISTED} more" if len(problems) > _MOST_LISTED else ""
    return DataError(f"{len(problems)} problem(s) in {where}:\n  {listed}{more}\nMend these rows; {remedy}.")


class ModelError(FindingsError):
    """A model folder is missing, damaged or of another format."""


class TrackingError(FindingsError):
    """The MLflow store or registry cannot do what was asked."""


class StoreError(TrackingError):
    """The MLflow store does not answer, is locked, or refuses; what does not need it can go on."""
