import pytest

pytest.importorskip("transformers", reason="Transformers is not installed: pip install 'inspection-findings[encoder]'")
pytest.importorskip("torch")

from pipeline.encoder_base import open_base
from pipeline.errors import UsageError
from pipeline.files import hash_file
from tests.bases import make_base


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    (path := tmp_path_factory.mktemp("bases") / "weights" / "made-up").mkdir(parents=True)
    return make_base(path)


def test_says_where_it_comes_from(folder):
    described = open_base(str(folder)).describe()
    digest = hash_file(folder / "model.safetensors")
    assert described == {"name": "weights/made-up", "sha256": digest, "licence": "apache-2.0"}


def test_tokenizer_cuts_off(folder):
    tokenizer = open_base(str(folder)).open_tokenizer(5)
    assert len(tokenizer.encode("plans of leaders will not improve").ids) == 5


@pytest.mark.parametrize("card", [None, "# No head", "license_name: own"])
def test_licence_unknown(tmp_path, card):
    base = make_base(tmp_path)
    (base / "README.md").unlink()
    if card is not None:
        (base / "README.md").write_text(card, encoding="utf-8")
    assert open_base(str(base)).licence == "not stated"


@pytest.mark.parametrize("missing", ["model.safetensors", "tokenizer.json"])
def test_a_file_is_missing(tmp_path, missing):
    base = make_base(tmp_path)
    (base / missing).unlink()
    with pytest.raises(UsageError, match="name a folder with model.safetensors, tokenizer.json"):
        open_base(str(base))
