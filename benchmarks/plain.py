"""The same job done the plain way: pypdf, NLTK's Punkt, TF-IDF and logistic regression of scikit-learn, a loop.

The plain way reads with pypdf page by page, splits with Punkt as it comes (nothing trained), and labels a document
after the other with single words and pairs, one regression a label. Training on the authored corpus comes before and
is not counted. It knows no sections, pages, headings, running heads or metadata, so that the factor is a lower bound.
Every tenth report, whole processes, CPU time; `findings classify` in the mode fast with one worker, to Parquet. It is
skipped where pypdf is not installed: `make bench-long`.
"""

import tempfile
from importlib.util import find_spec
from pathlib import Path

from benchmarks.corpus import report_paths
from benchmarks.processes import classify, run

_EVERY = 10
_TRAIN = """
import pickle, sys
from pathlib import Path
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from pipeline.labels import label_matrix, read_labels
table = read_labels(sorted(Path("data/labels").glob("authored-*.jsonl")))
features = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
model = make_pipeline(features, OneVsRestClassifier(LogisticRegression(C=10)))
model.fit(table["text"], label_matrix(table).astype(int))
Path(sys.argv[1]).write_bytes(pickle.dumps(model))
"""
_LABEL = """
import pickle, sys
from pathlib import Path
import pandas as pd
from nltk.tokenize.punkt import PunktSentenceTokenizer
from pypdf import PdfReader
model = pickle.loads(Path(sys.argv[1]).read_bytes())
splitter = PunktSentenceTokenizer()
frames = []
for path in sys.argv[3:]:
    text = "\\n".join(page.extract_text() for page in PdfReader(path).pages)
    sentences = [" ".join(sentence.split()) for sentence in splitter.tokenize(text)]
    chances = model.predict_proba(sentences)
    frames.append(pd.DataFrame(chances, columns=["p_strength", "p_weakness", "p_commitment"]))
    frames[-1].insert(0, "text", sentences)
    frames[-1].insert(0, "report", Path(path).name)
table = pd.concat(frames)
table.to_parquet(sys.argv[2])
print(len(table))
"""


def measure(shared: Path) -> list[tuple[str, str, str]]:
    """Train once, then let both label the same reports."""
    if not find_spec("pypdf"):
        return [("pypdf is not installed", "skipped", "")]
    paths = [path.resolve() for path in report_paths(shared)][::_EVERY]
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        run(_TRAIN, str(place / "model"))
        plain = run(_LABEL, str(place / "model"), str(place / "findings.parquet"), *map(str, paths))
        (place / "reports").mkdir()
        for rank, path in enumerate(paths):
            (place / "reports" / f"{rank}.pdf").write_bytes(path.read_bytes())
        ours, _, _ = classify(place / "reports", place / "out", workers=1)
    return [
        ("reports", str(len(paths)), ""),
        ("the plain way, CPU time", f"{plain.cpu:.1f} s for {int(plain.output):,} sentences", ""),
        ("`findings classify`, CPU time", f"{ours.cpu:.1f} s", ""),
        ("factor", f"{plain.cpu / ours.cpu:.1f}", ""),
    ]
