"""The encoder in PyTorch: base weights with a head of three outputs, fine-tuned on labelled sentences."""

import math
import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer
from torch import nn
from transformers import AutoModel

from pipeline.encoder import pad
from pipeline.labels import LABELS
from pipeline.params import EncoderParams
from pipeline.progress import Reporter

_DROPOUT = 0.1
_WEIGHT_DECAY = 0.01
_WARM_UP = 0.1  # share of the steps over which the learning rate rises
_POOL = 40  # batches that are sorted by length together
_LONGEST_STEP = 1.0


class EncoderNetwork(nn.Module):  # type: ignore[misc, unused-ignore]
    """A transformer, mean pooling over its tokens, and one output a label.

    Args:
        base: Folder or hub name of the base weights.
        vocabulary: Rows of the base's embedding table to keep, in their order.
        max_length: Positions to keep.
    """

    def __init__(self, base: str, vocabulary: Sequence[int], max_length: int) -> None:
        super().__init__()
        self.body: Any = AutoModel.from_pretrained(base, attn_implementation="eager", add_pooling_layer=False)
        embeddings = self.body.embeddings
        words = embeddings.word_embeddings.weight.data[list(vocabulary)].clone()
        embeddings.word_embeddings = nn.Embedding.from_pretrained(words, freeze=False, padding_idx=0)
        positions = embeddings.position_embeddings.weight.data[:max_length].clone()
        embeddings.position_embeddings = nn.Embedding.from_pretrained(positions, freeze=False)
        embeddings.register_buffer("position_ids", torch.arange(max_length)[None], persistent=False)
        embeddings.register_buffer("token_type_ids", torch.zeros(1, max_length, dtype=torch.long), persistent=False)
        self.body.config.vocab_size = len(words)
        self.body.config.max_position_embeddings = max_length
        self.dropout = nn.Dropout(_DROPOUT)
        self.head = nn.Linear(words.shape[1], len(LABELS))

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Give log-odds of shape (sentences, labels)."""
        states = self.body(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        mask = attention_mask.unsqueeze(-1).to(states.dtype)
        pooled = (states * mask).sum(1) / mask.sum(1)
        logits: torch.Tensor = self.head(self.dropout(pooled))
        return logits


def fine_tune(
    network: EncoderNetwork,
    tokens: Sequence[Sequence[int]],
    targets: npt.NDArray[np.float64],
    settings: EncoderParams,
    reporter: Reporter,
) -> None:
    """Train all weights: AdamW (Loshchilov and Hutter 2019), a rate that rises and then falls to zero, cross-entropy.

    Args:
        network: Changed in place; in evaluation mode afterwards.
        tokens: Token ids of each sentence.
        targets: Probability of each label, of shape (sentences, labels).
        settings: The section `encoder` of params.yaml.
        reporter: Told of each batch.
    """
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(settings.seed)
    shuffle = random.Random(settings.seed)  # noqa: S311
    network.to(device).train()
    answers = torch.tensor(targets, dtype=torch.float32)
    decayed = [weight for weight in network.parameters() if weight.ndim > 1]
    others = [weight for weight in network.parameters() if weight.ndim <= 1]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": _WEIGHT_DECAY}, {"params": others, "weight_decay": 0.0}],
        lr=settings.learning_rate,
        fused=True,
    )
    steps = settings.epochs * math.ceil(len(tokens) / settings.batch)
    warm = max(1, int(_WARM_UP * steps))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(step / warm, max(0.0, (steps - step) / max(1, steps - warm)))
    )
    reporter.start(steps, "batches")
    for _ in range(settings.epochs):
        for places in _batches([len(sentence) for sentence in tokens], settings.batch, shuffle):
            inputs = pad([tokens[place] for place in places])
            ids, mask = (torch.from_numpy(inputs[name]).to(device) for name in ("input_ids", "attention_mask"))
            with torch.autocast(device, dtype=torch.bfloat16, enabled=_has_fast_bfloat16(device)):
                logits = network(ids, mask)
            loss = nn.functional.binary_cross_entropy_with_logits(
                logits.float(), answers[places].to(device), reduction="none"
            )
            optimizer.zero_grad()
            loss.sum(1).mean().backward()
            nn.utils.clip_grad_norm_(network.parameters(), _LONGEST_STEP)
            optimizer.step()
            schedule.step()
            reporter.advance()
    network.to("cpu").eval()


def encode(tokenizer: Tokenizer, texts: Sequence[str]) -> list[list[int]]:
    """Turn sentences into token ids.

    Args:
        tokenizer: With its truncation set.
        texts: Sentences.

    Returns:
        Ids of each sentence, unpadded.
    """
    return [list(encoding.ids) for encoding in tokenizer.encode_batch(list(texts))]


def _batches(lengths: Sequence[int], size: int, shuffle: random.Random) -> list[list[int]]:
    """Divide rows into batches of like length, in random order."""
    order = list(range(len(lengths)))
    shuffle.shuffle(order)
    batches = []
    for start in range(0, len(order), size * _POOL):
        near = sorted(order[start : start + size * _POOL], key=lambda place: lengths[place])
        batches += [near[first : first + size] for first in range(0, len(near), size)]
    shuffle.shuffle(batches)
    return batches


def _has_fast_bfloat16(device: str) -> bool:
    """Tell whether half the width is faster: on graphics processors, and on processors with matrix tiles."""
    return device == "cuda" or bool(torch.cpu._is_amx_tile_supported())
