"""The MLflow store: runs, model versions and aliases. The only module that imports MLflow.

The files in the repository (models/champion, models/promotions.jsonl, models/run.json) decide; a store mirrors them,
and can be filled from them again at any time.
"""

import json
import logging
import os
import shutil
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
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
from mlflow.entities import LoggedModelInput, LoggedModelOutput, Metric, RunTag, ViewType  # noqa: E402
from mlflow.exceptions import MlflowException  # noqa: E402
from mlflow.models import ModelSignature  # noqa: E402
from mlflow.types import ColSpec, ParamSchema, ParamSpec, Schema  # noqa: E402
from requests.exceptions import RequestException  # noqa: E402
from sqlalchemy.exc import SQLAlchemyError  # noqa: E402

from pipeline.errors import StoreError, TrackingError  # noqa: E402
from pipeline.model_folder import copy_with_encoder, load_config  # noqa: E402
from pipeline.run_content import (  # noqa: E402
    EXPERIMENT,
    KEY_TAG,
    LIST_VIEW,
    REGISTERED_MODEL,
    SCORE_TAG,
    TEST_TAG,
    VERSION_TAG,
    RunContent,
)
from pipeline.serving import (  # noqa: E402
    EXAMPLE,
    INPUTS,
    MODE_PARAM,
    OUTPUTS,
    TEXT_COLUMN,
    USUAL,
    pinned_requirements,
)
from pipeline.store_errors import explain, first_line  # noqa: E402
from pipeline.store_location import (  # noqa: E402
    STORE_FOLDER,
    artifact_root,
    check_database,
    is_server,
    local_uri,
    remove_stray,
    store_lock,
    tracking_uri,
)
from pipeline.versions import Version  # noqa: E402

# For a process that had imported MLflow before.
logging.getLogger("mlflow").setLevel(os.environ["MLFLOW_LOGGING_LEVEL"])

CHAMPION, CHALLENGER = "champion", "challenger"
_VIEW = "findings"  # the UI opens the run list with our columns by this key
_VIEW_TAG = f"mlflow.sharedViewState.{_VIEW}"
_COLUMNS = json.dumps(LIST_VIEW)
_MODEL_NAME = "model"
_MODEL_FOLDER = "findings_model"
_PARENT_TAG = "mlflow.parentRunId"
_DIGEST_DIGITS = 36  # the most that MLflow takes; a tag holds the whole hash
_BATCH = 500
_SIGNATURE = ModelSignature(
    inputs=Schema([ColSpec(kind, name) for name, kind in INPUTS.items()]),
    outputs=Schema([ColSpec(kind, name) for name, kind in OUTPUTS.items()]),
    params=ParamSchema([ParamSpec(MODE_PARAM, "string", USUAL)]),
)


class Store:
    """An open MLflow store; `open_store` makes one.

    Args:
        project: The project folder.
        uri: Address of the store.
    """

    def __init__(self, project: Path, uri: str) -> None:
        self._client = mlflow.MlflowClient(tracking_uri=uri)
        self._uri = uri
        self._artifacts = None if is_server(uri) else artifact_root(project)
        self._own = uri == local_uri(project)

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
            _fill(content, run)
            with TemporaryDirectory() as scratch:
                for name, path in (content.artifacts or {}).items():
                    target = Path(scratch) / name
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(path, target)
                mlflow.log_artifacts(scratch)
        return str(run.info.run_id)

    def add(
        self, run_id: str, metrics: Mapping[str, float], tags: Mapping[str, str], artifacts: Sequence[Path]
    ) -> None:
        """Add to a run what became known after it was logged; values that it has already are not logged again.

        Args:
            run_id: The run.
            metrics: Values by name.
            tags: Tags, put in the place of earlier ones.
            artifacts: Files.
        """
        known = self._client.get_run(run_id).data.metrics
        now = int(datetime.now(UTC).timestamp() * 1000)
        new = [Metric(name, value, now, 0) for name, value in metrics.items() if known.get(name) != value]
        self._client.log_batch(run_id, metrics=new, tags=[RunTag(name, text) for name, text in tags.items()])
        for path in artifacts:
            self._client.log_artifact(run_id, str(path))

    def log_nested(self, parent: RunContent, children: Sequence[RunContent], status: str = "FINISHED") -> str:
        """Log runs below a parent run; what an earlier call logged with the same keys is found, not logged again.

        Args:
            parent: What the parent is to show now; replaces name, description, metrics and tags of an earlier call.
            children: The runs below it so far; the tags of each hold its key.
            status: State of the parent: "RUNNING", "FINISHED" or "KILLED".

        Returns:
            The parent's id.
        """
        experiment, found = self._experiment(), self._search(KEY_TAG, parent.tags[KEY_TAG])
        with mlflow.start_run(
            run_id=found[0].info.run_id if found else None,
            experiment_id=None if found else experiment,
            run_name=parent.name,
            tags=dict(parent.tags),
            description=parent.description,
        ) as run:
            run_id = str(run.info.run_id)
            _fill(parent, run)
            below = self._search(_PARENT_TAG, run_id)
            known = {one.data.tags.get(KEY_TAG) for one in below if one.info.status == "FINISHED"}
            for child in children:
                if child.tags[KEY_TAG] not in known:
                    with mlflow.start_run(
                        experiment_id=experiment,
                        run_name=child.name,
                        nested=True,
                        description=child.description,
                        tags=dict(child.tags),
                    ) as nested:
                        _fill(child, nested)
        self._client.update_run(run_id, status=status, name=parent.name)
        return run_id

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
                if version.model_id and version.run_id != run_id:
                    self._client.log_inputs(run_id, models=[LoggedModelInput(version.model_id)])
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
            raise TrackingError(
                f"version {number}: its files could not be had from the MLflow store ({first_line(error, self._uri)})."
            ) from None

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
            tags = {"mlflow.experimentKind": "custom_model_development", _VIEW_TAG: _COLUMNS}
            return str(self._client.create_experiment(EXPERIMENT, artifact_location=self._artifacts, tags=tags))
        if found.lifecycle_stage == "deleted":
            self._client.restore_experiment(found.experiment_id)
        if found.tags.get(_VIEW_TAG) != _COLUMNS:  # made by an earlier release
            self._client.set_experiment_tag(found.experiment_id, _VIEW_TAG, _COLUMNS)
        if self._own and found.artifact_location != self._artifacts:
            raise TrackingError(
                f"the MLflow store was made in another folder ({found.artifact_location}); move the project back, or "
                f"delete {STORE_FOLDER} and run `dvc repro` to fill a new store from the champion."
            )
        return str(found.experiment_id)

    def _log_model(self, run_id: str, folder: Path, model_version: str) -> str:
        """Log a model folder under a run and return the id of the logged model."""
        with TemporaryDirectory() as scratch:
            data = Path(scratch) / _MODEL_FOLDER
            copy_with_encoder(folder, data)
            package = Path(__file__).parent
            code = shutil.copytree(
                package, Path(scratch) / package.name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc", ".*")
            )
            run = self._client.get_run(run_id)
            # With the run active, MLflow would ask for the history of each of its hundreds of metrics, one by one.
            model = mlflow.initialize_logged_model(
                name=_MODEL_NAME,
                source_run_id=run_id,
                tags={VERSION_TAG: model_version},
                params=run.data.params,
                experiment_id=run.info.experiment_id,
            )
            model_id = str(model.model_id)
            mlflow.pyfunc.log_model(
                model_id=model_id,
                loader_module="pipeline.serving",
                data_path=str(data),
                code_paths=[str(code)],
                signature=_SIGNATURE,
                input_example=pd.DataFrame({TEXT_COLUMN: EXAMPLE}),
                pip_requirements=pinned_requirements(),
            )
            self._client.finalize_logged_model(model_id, "READY")
        self._client.log_outputs(run_id, models=[LoggedModelOutput(model_id, step=0)])
        scores = [
            Metric(name, value, run.info.start_time, 0, model_id=model_id, run_id=run_id)
            for name, value in run.data.metrics.items()
        ]
        for start in range(0, len(scores), _BATCH):
            self._client.log_batch(run_id, metrics=scores[start : start + _BATCH])
        return model_id


@contextmanager
def open_store(project: Path = Path(), *, write: bool = True) -> Iterator[Store]:
    """Open the store, and create it if there is none.

    Args:
        project: The project folder.
        write: Keep other writers out until the end; for reading, only until the store is open.

    Yields:
        The store.

    Raises:
        StoreError: The store cannot be reached, is locked, or refuses what was asked.
        TrackingError: It is damaged.
    """
    uri = tracking_uri(project)
    given = os.environ.get("MLFLOW_TRACKING_URI")
    with ExitStack() as lock:
        lock.enter_context(store_lock(project / STORE_FOLDER))
        if uri == local_uri(project):
            check_database(project, write=write)
        try:
            mlflow.set_tracking_uri(uri)
            store = Store(project, uri)
            if not write:
                lock.close()
            yield store
        except (MlflowException, SQLAlchemyError, RequestException) as error:
            raise StoreError(explain(error, uri)) from error
        finally:
            # MLflow writes the address into the environment; the next call may be for another project.
            mlflow.set_tracking_uri(given or "")
            if given is None:
                os.environ.pop("MLFLOW_TRACKING_URI", None)
            remove_stray(uri)


def _fill(content: RunContent, run: mlflow.ActiveRun) -> None:
    """Log settings, scores and data of the active run."""
    mlflow.log_params(dict(content.params))
    metrics = list(content.metrics.items())
    for start in range(0, len(metrics), _BATCH):
        # The model's metrics bear the same time, so that they are no second values of the run's.
        mlflow.log_metrics(dict(metrics[start : start + _BATCH]), step=0, timestamp=run.info.start_time)
    for table, digest, source, context in content.datasets:
        with warnings.catch_warnings():
            # MLflow finds two names for one kind of local source, and integers that could hold no gaps.
            warnings.simplefilter("ignore", UserWarning)
            dataset = from_pandas(table, source=source, name=source, digest=digest[:_DIGEST_DIGITS])
            mlflow.log_input(dataset, context=context, tags={"sha256": digest})
