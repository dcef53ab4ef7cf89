"""The encoder in PyTorch: base weights with a head of three outputs, fine-tuned on labelled sentences."""

import math
import random
from collections.abc import Sequence
from typing import Any, NamedTuple

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

_WEIGHT_DECAY = 0.01
_WARM_UP = 0.1  # share of the steps over which the learning rate rises
_POOL = 40  # batches that are sorted by length together
_LONGEST_STEP = 1.0
_READ = 32  # sentences a batch when no gradient is wanted


class Answers(NamedTuple):
    """What a network makes of sentences.

    Attributes:
        logits: Log-odds of shape (sentences, labels).
        states: Means of the token states, of shape (sentences, width of the network).
    """

    logits: npt.NDArray[np.float64]
    states: npt.NDArray[np.float64]


class EncoderNetwork(nn.Module):  # type: ignore[misc, unused-ignore]
    """A transformer, mean pooling over its tokens, and one output a label.

    Args:
        base: Folder or hub name of the base weights.
        seed: What the outputs begin with is drawn from it.
        dropout: Share of the activations that are left out while it learns.
    """

    def __init__(self, base: str, seed: int, dropout: float) -> None:
        super().__init__()
        self.body: Any = AutoModel.from_pretrained(
            base,
            attn_implementation="eager",
            add_pooling_layer=False,
            hidden_dropout_prob=dropout,
            attention_probs_dropout_prob=dropout,
        )
        self.dropout = nn.Dropout(dropout)
        torch.manual_seed(seed)
        self.head = nn.Linear(self.body.config.hidden_size, len(LABELS))

    def prune(self, vocabulary: Sequence[int], max_length: int) -> None:
        """Cut the embeddings of a BERT down.

        Args:
            vocabulary: Rows of the embedding table to keep, in their order.
            max_length: Positions to keep.
        """
        embeddings = self.body.embeddings
        words = embeddings.word_embeddings.weight.data[list(vocabulary)].clone()
        embeddings.word_embeddings = nn.Embedding.from_pretrained(words, freeze=False, padding_idx=0)
        positions = embeddings.position_embeddings.weight.data[:max_length].clone()
        embeddings.position_embeddings = nn.Embedding.from_pretrained(positions, freeze=False)
        embeddings.register_buffer("position_ids", torch.arange(max_length)[None], persistent=False)
        embeddings.register_buffer("token_type_ids", torch.zeros(1, max_length, dtype=torch.long), persistent=False)
        self.body.config.vocab_size = len(words)
        self.body.config.max_position_embeddings = max_length

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Give log-odds of shape (sentences, labels)."""
        return self.read(input_ids, attention_mask)[0]

    def read(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Give log-odds, and the means of the token states, of shape (sentences, width)."""
        states = self.body(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        mask = attention_mask.unsqueeze(-1).to(states.dtype)
        pooled = (states * mask).sum(1) / mask.sum(1)
        return self.head(self.dropout(pooled)), pooled


def fine_tune(
    network: EncoderNetwork,
    tokens: Sequence[Sequence[int]],
    targets: npt.NDArray[np.float64],
    settings: EncoderParams,
    reporter: Reporter,
    components: npt.NDArray[np.float32] | None = None,
) -> None:
    """Train what requires a gradient: AdamW (Loshchilov and Hutter 2019), a rate that rises and then falls to zero.

    Where teachers' states are given, a linear map of the network's own learns them, too (Romero et al. 2015, "FitNets:
    hints for thin deep nets"): a sentence then teaches many numbers instead of three. The map is thrown away.

    Args:
        network: Changed in place; in evaluation mode afterwards.
        tokens: Token ids of each sentence.
        targets: Probability of each label, of shape (sentences, labels).
        settings: The section `encoder` of params.yaml.
        reporter: Told of each sentence, as often as it is learnt.
        components: What teachers' states hold of each sentence, of shape (sentences, components); NaN where a teacher
            was not asked.
    """
    device = _device()
    torch.manual_seed(settings.seed)
    shuffle = random.Random(settings.seed)  # noqa: S311
    network.to(device).train()
    answers = torch.tensor(targets, dtype=torch.float32)
    body = [weight for weight in network.body.parameters() if weight.requires_grad]
    head = list(network.head.parameters())
    if components is not None:
        projection = nn.Linear(network.head.in_features, components.shape[1]).to(device)
        head += projection.parameters()
        hints = torch.from_numpy(components)
    weights = [*body, *head]
    # The outputs begin from nothing. At the body's rate they stay small: where token states are short, log-odds hardly
    # pass 2, and what the network is sure of goes on pulling at it.
    optimizer = torch.optim.AdamW(
        [
            {"params": [weight for weight in body if weight.ndim > 1], "weight_decay": _WEIGHT_DECAY},
            {"params": [weight for weight in body if weight.ndim <= 1], "weight_decay": 0.0},
            {"params": head, "weight_decay": 0.0, "lr": settings.head_rate * settings.learning_rate},
        ],
        lr=settings.learning_rate,
        fused=True,
    )
    steps = settings.epochs * math.ceil(len(tokens) / settings.batch)
    warm = max(1, int(_WARM_UP * steps))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(step / warm, max(0.0, (steps - step) / max(1, steps - warm)))
    )
    entropy = nn.BCEWithLogitsLoss(reduction="none")
    reporter.start(settings.epochs * len(tokens), "sentences")
    for _ in range(settings.epochs):
        for places in _batches([len(sentence) for sentence in tokens], settings.batch, shuffle):
            logits, states = _read(network, [tokens[place] for place in places], device)
            loss = entropy(logits, answers[places].to(device)).sum(1).mean()
            if components is not None:
                hint = hints[places].to(device)
                known = ~hint.isnan()
                loss = loss + settings.teacher.hints * (projection(states)[known] - hint[known]).square().mean()
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(weights, _LONGEST_STEP)
            optimizer.step()
            schedule.step()
            reporter.advance(len(places))
    network.to("cpu").eval()


def predict(network: EncoderNetwork, tokens: Sequence[Sequence[int]], reporter: Reporter) -> Answers:
    """Answer sentences.

    Args:
        network: In evaluation mode.
        tokens: Token ids of each sentence.
        reporter: Told of each batch.

    Returns:
        Its answers, in the order of the sentences.
    """
    device = _device()
    network.to(device)
    answers = Answers(np.empty((len(tokens), len(LABELS))), np.empty((len(tokens), network.head.in_features)))
    order = sorted(range(len(tokens)), key=lambda place: len(tokens[place]))
    reporter.start(len(tokens), "sentences")
    with torch.inference_mode():
        for start in range(0, len(order), _READ):
            places = order[start : start + _READ]
            for whole, part in zip(answers, _read(network, [tokens[place] for place in places], device), strict=True):
                whole[places] = part.cpu().numpy()
            reporter.advance(len(places))
    network.to("cpu")
    return answers


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


def _read(network: EncoderNetwork, tokens: Sequence[Sequence[int]], device: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Give a batch to the network, at half the width where that is faster; log-odds and pooled states."""
    inputs = pad(tokens)
    ids, mask = (torch.from_numpy(inputs[name]).to(device) for name in ("input_ids", "attention_mask"))
    with torch.autocast(device, dtype=torch.bfloat16, enabled=_has_fast_bfloat16(device)):
        logits, states = network.read(ids, mask)
    return logits.float(), states.float()


def _device() -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"


def _has_fast_bfloat16(device: str) -> bool:
    """Tell whether half the width is faster: on graphics processors, and on processors with instructions for it."""
    tiles, vectors = torch.cpu._is_amx_tile_supported(), torch.cpu._is_avx512_bf16_supported()
    return device == "cuda" or bool(tiles or vectors)
