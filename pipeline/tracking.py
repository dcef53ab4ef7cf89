"""The MLflow store: runs, model versions and aliases. The only module that imports MLflow.

The files in the repository (models/champion, models/promotions.jsonl, models/run.json) decide; a store mirrors them,
and can be filled from them again at any time.
"""

import json
import logging
import os
import shutil
import sqlite3
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version as library_version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

# MLflow reads these when it is imported. It shall send nothing anywhere, and say only what a person must know.
os.environ.update(MLFLOW_DISABLE_TELEMETRY="true", DO_NOT_TRACK="true")
for _name, _value in {
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
}.items():
    os.environ.setdefault(_name, _value)

import mlflow  # noqa: E402
import pandas as pd  # noqa: E402
from mlflow.data.pandas_dataset import from_pandas  # noqa: E402
from mlflow.entities import LoggedModelInput, ViewType  # noqa: E402
from mlflow.exceptions import MlflowException  # noqa: E402
from mlflow.models import ModelSignature  # noqa: E402
from mlflow.types import ColSpec, DataType, Schema  # noqa: E402
from sqlalchemy.engine import make_url  # noqa: E402
from sqlalchemy.exc import SQLAlchemyError  # noqa: E402

from pipeline.classifier import PREDICTION_COLUMNS, PROBABILITY_COLUMNS  # noqa: E402
from pipeline.errors import TrackingError  # noqa: E402
from pipeline.labels import LABELS  # noqa: E402
from pipeline.mlflow_server import HOST, free_port, run_server, store_lock  # noqa: E402
from pipeline.model_folder import load_config  # noqa: E402
from pipeline.run_record import (  # noqa: E402
    EXPERIMENT,
    KEY_TAG,
    REGISTERED_MODEL,
    SCORE_TAG,
    TEST_TAG,
    VERSION_TAG,
    read_run_key,
)
from pipeline.serving import TEXT_COLUMN  # noqa: E402

# For a process that had imported MLflow before.
logging.getLogger("mlflow").setLevel(os.environ["MLFLOW_LOGGING_LEVEL"])

STORE_FOLDER = Path("mlruns")
DATABASE = "mlflow.db"
CHAMPION, CHALLENGER = "champion", "challenger"
# What loading a model and predicting with it imports, by the name of the distribution.
REQUIREMENTS = ("joblib", "numpy", "pandas", "pydantic", "PyYAML", "scikit-learn", "scipy", "skops")
# The columns of the run list, as a view that the UI opens by its key; by itself it would show none of the scores.
_VIEW = "findings"
_COLUMNS = json.dumps(
    {
        "selectedColumns": [
            "metrics.`macro_f1`",
            *(f"metrics.`{label}_f1`" for label in LABELS),
            "tags.`verdict`",
            "tags.`verdict.reason`",
            "tags.`git.commit`",
            "tags.`data.train`",
        ]
    }
)
_MODEL_NAME = "model"
_MODEL_FOLDER = "findings_model"
_DIGEST_DIGITS = 36  # the most that MLflow takes; a tag holds the whole hash
_BATCH = 500
_EXAMPLE = pd.DataFrame(
    {
        TEXT_COLUMN: [
            "Social workers know their children well and visit them often.",
            "By March, the council will recruit a further six advocates.",
        ]
    }
)
_TYPES = {
    **dict.fromkeys((*LABELS, "uncertain"), DataType.boolean),
    **dict.fromkeys(PROBABILITY_COLUMNS, DataType.double),
    **dict.fromkeys(("labels", "model_version"), DataType.string),
}
_SIGNATURE = ModelSignature(
    inputs=Schema([ColSpec(DataType.string, TEXT_COLUMN)]),
    outputs=Schema([ColSpec(_TYPES[name], name) for name in PREDICTION_COLUMNS]),
)


@dataclass(frozen=True)
class Version:
    """A model version in the registry.

    Attributes:
        number: MLflow's number, which is another in every store.
        model_version: Hash of the model's content, the same everywhere.
        aliases: "champion" and "challenger", where it has them.
        macro_f1: Macro F1 on the test side when it was registered.
        test_sha256: Hash of that test side.
        created: When it was registered in this store.
        run_id: The run that logged it.
    """

    number: int
    model_version: str
    aliases: tuple[str, ...]
    macro_f1: float | None
    test_sha256: str | None
    created: datetime
    run_id: str | None


@dataclass(frozen=True)
class RunContent:
    """What a run is to show.

    Attributes:
        name: Its name in the run list.
        description: Markdown.
        params: Settings.
        metrics: Scores, headlines first.
        tags: Tags.
        datasets: Table, hash, source and context ("training", "testing") of each dataset.
        artifacts: File by its path among the artifacts.
    """

    name: str
    description: str
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    datasets: tuple[tuple[pd.DataFrame, str, str, str], ...] = ()
    artifacts: Mapping[str, Path] | None = None


def tracking_uri(project: Path = Path()) -> str:
    """Tell where runs and models are kept.

    Args:
        project: The project folder.

    Returns:
        MLFLOW_TRACKING_URI where it is set; else the SQLite file mlruns/mlflow.db of the project.

    Raises:
        TrackingError: The folder has a name that no database address can hold.
    """
    given = os.environ.get("MLFLOW_TRACKING_URI", "").strip()
    if given:
        return given
    return _own_uri(project)


class Store:
    """An open MLflow store; `open_store` makes one.

    Args:
        project: The project folder.
        uri: Address of the store.
    """

    def __init__(self, project: Path, uri: str) -> None:
        self._client = mlflow.MlflowClient(tracking_uri=uri)
        # A server decides itself where files go.
        self._artifacts = None if uri.startswith(("http://", "https://")) else artifact_root(project)
        self._own = uri == _own_uri(project)

    def runs(self, tag: str = "", value: str = "") -> list[str]:
        """List finished runs, the newest first.

        Args:
            tag: Only runs that carry this tag,
            value: with this value.

        Returns:
            Run ids.
        """
        return [run.info.run_id for run in self._search(tag, value) if run.info.status == "FINISHED"]

    def log_run(self, content: RunContent) -> str:
        """Log a run, or find the one that was logged with the same key.

        Args:
            content: What it is to show; its tags hold the key.

        Returns:
            The run's id.
        """
        key = content.tags[KEY_TAG]
        earlier = self.runs(KEY_TAG, key)
        if earlier:
            return earlier[0]
        for broken in self._search(KEY_TAG, key):  # left by a process that was stopped half way
            self._client.delete_run(broken.info.run_id)
        with mlflow.start_run(
            experiment_id=self._experiment(),
            run_name=content.name,
            description=content.description,
            tags={"mlflow.source.name": "findings register", **content.tags},
        ) as run:
            mlflow.log_params(dict(content.params))
            metrics = list(content.metrics.items())
            for start in range(0, len(metrics), _BATCH):
                mlflow.log_metrics(dict(metrics[start : start + _BATCH]))
            for table, digest, source, context in content.datasets:
                with warnings.catch_warnings():
                    # MLflow finds two names for one kind of local source, and integers that could hold no gaps.
                    warnings.simplefilter("ignore", UserWarning)
                    dataset = from_pandas(table, source=source, name=source, digest=digest[:_DIGEST_DIGITS])
                    mlflow.log_input(dataset, context=context, tags={"sha256": digest})
            with TemporaryDirectory() as scratch:
                for name, path in (content.artifacts or {}).items():
                    target = Path(scratch) / name
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(path, target)
                mlflow.log_artifacts(scratch)
        return str(run.info.run_id)

    def register(self, run_id: str, folder: Path, description: str, macro_f1: float | None, test: str | None) -> int:
        """Log a model under a run and register it, unless the registry has this very model already.

        Args:
            run_id: The run it belongs to.
            folder: Model folder.
            description: Markdown for the version's page.
            macro_f1: Macro F1 on the test side.
            test: Hash of the test side.

        Returns:
            MLflow's version number.
        """
        model_version = load_config(folder).version
        for version in self._versions():
            if version.tags.get(VERSION_TAG) == model_version:
                used = [LoggedModelInput(version.model_id)] if version.model_id and version.run_id != run_id else []
                if used:
                    self._client.log_inputs(run_id, models=used)
                return int(version.version)
        model = self._log_model(run_id, folder, model_version)
        with suppress(MlflowException):  # it exists already
            self._client.create_registered_model(
                REGISTERED_MODEL,
                description="Labels sentences of inspection reports: strength, weakness, commitment. The version with "
                "the alias `champion` is in use; `challenger` is the last one that was not promoted, or was put aside.",
            )
        tags = {VERSION_TAG: model_version}
        if macro_f1 is not None:
            tags[SCORE_TAG] = f"{macro_f1:.4f}"
        if test is not None:
            tags[TEST_TAG] = test
        created = self._client.create_model_version(
            REGISTERED_MODEL,
            source=f"models:/{model}",
            run_id=run_id,
            model_id=model,
            tags=tags,
            description=description,
        )
        # The run's page finds the version by this tag.
        linked = json.dumps([{"name": REGISTERED_MODEL, "version": created.version}])
        self._client.set_logged_model_tags(model, {"mlflow.modelVersions": linked})
        return int(created.version)

    def versions(self) -> list[Version]:
        """List the registered versions.

        Returns:
            The versions, the newest first.
        """
        found = []
        aliases = self._aliases()
        for version in self._versions():
            score = version.tags.get(SCORE_TAG)
            found.append(
                Version(
                    number=int(version.version),
                    model_version=version.tags.get(VERSION_TAG, ""),
                    aliases=tuple(sorted(alias for alias, holder in aliases.items() if holder == int(version.version))),
                    macro_f1=float(score) if score else None,
                    test_sha256=version.tags.get(TEST_TAG),
                    created=datetime.fromtimestamp(version.creation_timestamp / 1000, UTC),
                    run_id=version.run_id or None,
                )
            )
        return sorted(found, key=lambda version: -version.number)

    def fetch(self, number: int, target: Path) -> Path:
        """Copy the model folder of a version out of the store.

        Args:
            number: MLflow's version number.
            target: Existing folder for the copy.

        Returns:
            The model folder.

        Raises:
            TrackingError: The store lacks the files.
        """
        uri = f"models:/{REGISTERED_MODEL}/{number}/data/{_MODEL_FOLDER}"
        try:
            return Path(mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=str(target)))
        except (MlflowException, OSError) as error:
            raise TrackingError(f"version {number}: the MLflow store lacks its files ({_first_line(error)}).") from None

    def point(self, alias: str, number: int | None) -> None:
        """Give an alias to one version, or to none.

        Args:
            alias: "champion" or "challenger".
            number: MLflow's version number; None takes the alias away.
        """
        holder = self._aliases().get(alias)
        if number is None:
            if holder is not None:
                self._client.delete_registered_model_alias(REGISTERED_MODEL, alias)
        elif holder != number:
            self._client.set_registered_model_alias(REGISTERED_MODEL, alias, str(number))

    def page(self) -> str:
        """Tell where the UI shows the runs.

        Returns:
            The part of the address behind the host.
        """
        return f"/#/experiments/{self._experiment()}/runs?viewStateShareKey={_VIEW}&workflowType=machine_learning"

    def _search(self, tag: str, value: str) -> list[Any]:
        experiment = self._client.get_experiment_by_name(EXPERIMENT)
        if experiment is None:
            return []
        query = f"tags.`{tag}` = '{value}'" if tag else ""
        return list(
            self._client.search_runs([experiment.experiment_id], query, ViewType.ACTIVE_ONLY, max_results=10_000)
        )

    def _versions(self) -> list[Any]:
        return list(self._client.search_model_versions(f"name = '{REGISTERED_MODEL}'"))

    def _aliases(self) -> dict[str, int]:
        """Version number by alias; a search for versions does not tell it."""
        if not self._client.search_registered_models(f"name = '{REGISTERED_MODEL}'"):
            return {}
        return {
            str(alias): int(number)
            for alias, number in self._client.get_registered_model(REGISTERED_MODEL).aliases.items()
        }

    def _experiment(self) -> str:
        """Find or create the experiment."""
        found = self._client.get_experiment_by_name(EXPERIMENT)
        if found is None:
            # Without the kind, the UI asks every visitor what the experiment is for.
            tags = {"mlflow.experimentKind": "custom_model_development", f"mlflow.sharedViewState.{_VIEW}": _COLUMNS}
            return str(self._client.create_experiment(EXPERIMENT, artifact_location=self._artifacts, tags=tags))
        if found.lifecycle_stage == "deleted":
            self._client.restore_experiment(found.experiment_id)
        if self._own and found.artifact_location != self._artifacts:
            raise TrackingError(
                f"the MLflow store was made in another folder ({found.artifact_location}); move the project back, or "
                f"delete {STORE_FOLDER} and run `dvc repro` to fill a new store from the champion."
            )
        return str(found.experiment_id)

    def _log_model(self, run_id: str, folder: Path, model_version: str) -> str:
        """Log a model folder under a run and return the id of the logged model."""
        with TemporaryDirectory() as scratch:
            data = Path(shutil.copytree(folder, Path(scratch) / _MODEL_FOLDER))
            package = Path(__file__).parent
            code = shutil.copytree(
                package, Path(scratch) / package.name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc", ".*")
            )
            with mlflow.start_run(run_id=run_id):
                info = mlflow.pyfunc.log_model(
                    name=_MODEL_NAME,
                    loader_module="pipeline.serving",
                    data_path=str(data),
                    code_paths=[str(code)],
                    signature=_SIGNATURE,
                    input_example=_EXAMPLE,
                    pip_requirements=[f"{name}=={library_version(name)}" for name in REQUIREMENTS],
                    tags={VERSION_TAG: model_version},
                )
        return str(info.model_id)


@contextmanager
def open_store(project: Path = Path(), *, write: bool = True) -> Iterator[Store]:
    """Open the store, and create it if there is none.

    Args:
        project: The project folder.
        write: Keep other writers out until the end; for reading, only until the store is open.

    Yields:
        The store.

    Raises:
        TrackingError: The store cannot be reached, is damaged, or refuses what was asked.
    """
    uri = tracking_uri(project)
    given = os.environ.get("MLFLOW_TRACKING_URI")
    with ExitStack() as lock:
        lock.enter_context(store_lock(project / STORE_FOLDER))
        if uri == _own_uri(project):
            _check_database(project / STORE_FOLDER / DATABASE)
        try:
            mlflow.set_tracking_uri(uri)
            store = Store(project, uri)
            if not write:
                lock.close()
            yield store
        except (MlflowException, SQLAlchemyError) as error:
            raise TrackingError(f"MLflow store {_without_password(uri)}: {_first_line(error)}") from error
        finally:
            # MLflow writes the address into the environment; the next call may be for another project.
            mlflow.set_tracking_uri(given or "")
            if given is None:
                os.environ.pop("MLFLOW_TRACKING_URI", None)
            _remove_stray(uri)


def find_run(run_file: Path = Path("models/run.json"), project: Path = Path()) -> str | None:
    """Find the run that a checkout belongs to.

    Args:
        run_file: The tracked file that holds the run's key.
        project: The project folder.

    Returns:
        Its id in the present store; None if that store has no such run.

    Raises:
        TrackingError: The file is missing or damaged, or the store cannot be reached.
    """
    key = read_run_key(run_file)
    if not has_store(project):
        return None
    with open_store(project, write=False) as store:
        return next(iter(store.runs(KEY_TAG, key)), None)


def has_store(project: Path = Path()) -> bool:
    """Tell whether there is a store to look into.

    Args:
        project: The project folder.

    Returns:
        False if it would be the local one and has not been created yet.
    """
    return bool(os.environ.get("MLFLOW_TRACKING_URI", "").strip()) or (project / STORE_FOLDER / DATABASE).is_file()


def artifact_root(project: Path = Path()) -> str:
    """Tell where the local store keeps its files.

    Args:
        project: The project folder.

    Returns:
        An absolute file address.
    """
    return ((project / STORE_FOLDER).resolve() / "artifacts").as_uri()


def serve_ui(port: int = 5000, announce: Callable[[str], None] = lambda line: None, project: Path = Path()) -> None:
    """Open the MLflow UI on the project's store, until Ctrl-C.

    Args:
        port: Port on 127.0.0.1; if it is taken, the next free one.
        announce: Called with each line for the person: the address, the number of runs, how to stop.
        project: The project folder.

    Raises:
        TrackingError: There is no run to show, no port is free, or the server does not start.
    """
    count, experiment = 0, ""
    if has_store(project):
        with open_store(project, write=False) as store:
            count = len(store.runs())
            experiment = store.page()
    if not count:
        raise TrackingError("no runs yet: run `dvc repro`.")
    uri = tracking_uri(project)
    runs = f"{count} run" if count == 1 else f"{count} runs"
    if uri.startswith(("http://", "https://")):
        announce(f"{runs} on the MLflow server: {_without_password(uri)}{experiment}")
        return
    port = free_port(port)

    def ready() -> None:
        announce(f"MLflow UI with {runs}: http://{HOST}:{port}{experiment}")
        announce(f"Store: {_without_password(uri)}. Stop with Ctrl-C.")

    try:
        run_server(uri, artifact_root(project), port, project / STORE_FOLDER / "ui.log", ready)
    finally:
        _remove_stray(uri)


def _own_uri(project: Path) -> str:
    """Write the path of the local database as an address that SQLAlchemy reads back as the same path."""
    path = ((project / STORE_FOLDER).resolve() / DATABASE).as_posix()
    # From release 2.1 on SQLAlchemy takes "%20" for a space; before, it took a path as it stood.
    for form in (path, path.replace("%", "%25").replace("?", "%3F")):
        if make_url(f"sqlite:///{form}").database == path:
            return f"sqlite:///{form}"
    raise TrackingError(f"{path}: no database can lie in a folder of this name; rename the folder.")


def _remove_stray(uri: str) -> None:
    """Remove the empty folder that MLflow makes where it reads a quoted address as a path."""
    quoted = uri.removeprefix("sqlite:///")
    if quoted != uri and quoted != make_url(uri).database:
        with suppress(OSError):
            os.removedirs(Path(quoted).parent)


def _check_database(path: Path) -> None:
    """Fail at once where MLflow would try for minutes to open a file that is no database."""
    if not path.exists():
        return
    try:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master")
    except sqlite3.Error as error:
        raise TrackingError(
            f"{path}: not usable as MLflow store ({error}); move it away, and `dvc repro` fills a new one."
        ) from None


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _without_password(uri: str) -> str:
    """Leave out the user and password of an address."""
    scheme, separator, rest = uri.partition("://")
    before, at, after = rest.partition("@")
    return f"{scheme}{separator}{after}" if at and "/" not in before else uri
