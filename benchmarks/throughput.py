"""Sentences a second of each mode, the time to load the encoder, and how much of ordinary reports the encoder reads."""

import os
import time

import numpy as np

from benchmarks.material import Material, markdown
from benchmarks.scoring import spliced
from pipeline.model_folder import load_model
from pipeline.modes import Mode

SENTENCES = 20_000
_LOADS = 5


def measure(material: Material) -> list[str]:
    """Let each mode read the same sentences."""
    ordinary = material.prose
    if ordinary:
        generator = np.random.default_rng(20)
        texts = [ordinary[place] for place in generator.choice(len(ordinary), min(SENTENCES, len(ordinary)), False)]
        origin = "drawn from the reports in data/reports"
    else:
        texts = spliced(material.train["text"].tolist(), SENTENCES)
        origin = "spliced from the training side"
    rows = []
    for mode in material.modes:
        model = load_model(material.model, mode)
        if model.encoder is not None:
            model.encoder.threads = min(2, os.cpu_count() or 1)
        model.predict_proba(texts[:2])
        wall, core = time.monotonic(), time.process_time()
        model.predict_proba(texts)
        wall, core = time.monotonic() - wall, time.process_time() - core
        cores = "one core" if mode is Mode.fast else f"{min(2, os.cpu_count() or 1)} cores"
        rows.append([f"{mode}, {cores}", f"{len(texts) / wall:,.0f}", f"{len(texts) / core:,.0f}"])
    words = np.mean([len(text.split()) for text in texts])
    lines = [f"{len(texts):,} sentences of {words:.1f} words, {origin}.", ""]
    lines += markdown(("mode", "sentences/s by the clock", "sentences/s of processor time"), rows)
    if material.classifier.encoder is None:
        return lines
    seconds = min(_load_encoder(material) for _ in range(_LOADS))
    lines += ["", f"Loading the encoder: {seconds:.2f} s (least of {_LOADS}; wanted: at most 0.4 s)."]
    if ordinary and material.classifier.config.cascade is not None:
        share = material.classifier.in_mode(Mode.balanced).unsure(ordinary).mean()
        lines += ["", f"Of {len(ordinary):,} sentences of ordinary reports the encoder reads {share:.1%} in balanced."]
    return lines


def _load_encoder(material: Material) -> float:
    """Give the time that loading a model adds with its encoder, up to the first answer."""
    started = time.perf_counter()
    load_model(material.model, Mode.fast).predict_proba(["It is good."])
    alone = time.perf_counter() - started
    started = time.perf_counter()
    load_model(material.model, Mode.accurate).predict_proba(["It is good."])
    return time.perf_counter() - started - alone
