"""Running heads and feet that got into sentences."""

from pathlib import Path

from benchmarks.corpus import read_reports

_MIN_LENGTH = 25  # shorter ones occur in sentences by right


def measure(shared: Path) -> list[tuple[str, str, str]]:
    """Count the blocks after the first page that hold a line left out elsewhere."""
    lines = blocks = 0
    for _, document in read_reports(shared):
        heads = {line for line in document.dropped if len(line) > _MIN_LENGTH}
        lines += len(document.dropped)
        blocks += sum(head in block.text for block in document.blocks if block.page != 1 for head in heads)
    return [("lines left out", f"{lines:,}", ""), ("blocks that hold one", str(blocks), "0")]
