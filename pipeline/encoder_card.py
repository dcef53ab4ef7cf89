"""The encoder's card: what it is, where it comes from, how well it does."""

from pipeline.encoder import EncoderConfig
from pipeline.labels import LABELS

_TEMPLATE = """\
# findings: encoder

Encoder `{version}`: reads a sentence of an inspection report, council statement, plan or minutes, and scores three
labels. Used by `findings classify` in the modes balanced and accurate; the linear model learns from its answers, too.

## Network
Begun from {base} (SHA-256 of the weights `{base_sha256}`,
licence {licence}); all weights fine-tuned for {epochs} epochs, {batch} sentences a batch, AdamW at {learning_rate},
mean pooling, three outputs.
{teacher}
{vocabulary} tokens of the vocabulary and {max_length} positions are kept. Stored as ONNX with 8-bit weights and
activations; the scales are fixed, so that a sentence's answer does not depend on the sentences beside it.

## Training data
{sentences} sentences of {documents} documents of the training side, SHA-256 `{data}`. No test document is among them;
config.json lists the ids.

| label | examples |
| --- | --- |
{examples}

## Scores
On documents that it had not seen ({folds} folds over providers, quantised like the encoder itself; `held_out.npz` holds
each answer by the hash of its sentence):

| score | value |
| --- | --- |
{scores}

## Limits
English only. A sentence is read alone. Its scores are raw: calibration and thresholds belong to a model folder
(models/champion).

## Make it again
After `dvc repro dataset`, with PyTorch and Transformers (`pip install 'inspection-findings[encoder]'`):
`findings encoder train --base DIR{option}`. Made with {libraries}.
"""

_TEACHER = """
Learnt from {folds} teachers, too: {name} (SHA-256 of the weights `{sha256}`,
licence {licence}), fine-tuned for {epochs} epochs at {learning_rate}, one for each fold, without that fold's
documents. What they answered {unlabelled:,} sentences that nobody labelled is what these teach; on labelled ones the
answers have a weight of {share} beside the label. Beside the answers it learnt, with a weight of {hints}, {components}
principal components of each teacher's states. A fold's network learnt from that fold's teacher alone.
"""


def render_encoder_card(config: EncoderConfig) -> str:
    """Write the card of an encoder.

    Args:
        config: What its folder says of it.

    Returns:
        Markdown.
    """
    settings, data = config.settings, config.data
    teacher = data.get("teacher")
    scores = [f"| {name} | {value} |" for name, value in config.scores["held_out"].items() if value is not None]
    return _TEMPLATE.format(
        version=config.version,
        base=config.base["name"],
        base_sha256=config.base["sha256"],
        licence=config.base["licence"],
        sentences=f"{data['sentences']:,}",
        documents=f"{len(data['documents']):,}",
        data=data["sha256"],
        examples="\n".join(f"| {label} | {data['examples'][label]:,} |" for label in LABELS),
        scores="\n".join(scores),
        teacher=_TEACHER.format(folds=settings["folds"], **settings["teacher"], **teacher) if teacher else "",
        option=" --teacher DIR" if teacher else "",
        libraries=", ".join(f"{name} {version}" for name, version in sorted(config.libraries.items())),
        **{name: settings[name] for name in ("epochs", "batch", "learning_rate", "vocabulary", "max_length", "folds")},
    )
