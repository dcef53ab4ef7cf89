"""Sentence splitting, keys, sections and grades."""

import hashlib
import io
import subprocess
import sys
import unicodedata
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline import splitter
from pipeline.reading import Block, Document, Metadata
from pipeline.sentences import SENTENCE_COLUMNS, normalise, sentence_key, sentence_table, split_sentences


def split(text: str) -> list[str]:
    return [sentence for _, sentence in split_sentences(text)]


@pytest.mark.parametrize(
    "sentences",
    [
        ["Support is offered, e.g. Early help.", "It works."],
        ["Some partners, i.e. the police, attend.", "Others do not."],
        ["The action is No. 5 in the plan.", "It is late."],
        ["See para. 12 and s.47 of the Act.", "Enquiries start at once."],
        ["Pupils at St. Bede's thrive.", "So do others."],
        ["Cllr. Amadi chairs the board.", "Mr. J. R. Field reports to it."],
        ["The team works until 10 p.m. on weekdays.", "It is well used."],
        ["The line closes at 5 p.m.", "The night team then takes over."],
        ["Timeliness rose to 91.5% in 2023.", "That is above the 84.2% seen elsewhere."],
        ["The rate fell from 4.6 to 3.9.", "Leaders know why."],
        ["One child said: ‘I feel safe here.’", "Others agreed."],
        ['A parent told us: "They listened."', "That is typical."],
        ["(This is monitored weekly.)", "Numbers are low."],
        ["Caseloads are high (paragraphs 12, 14. Page 9, paragraph 31).", "Staff leave."],
        ["Is that enough?", "It is not!", "More is needed."],
        ["Care leavers are supported up to the age of 25.", "Some stay on."],
        ["The service supports care leavers aged 16–25 vs. 18–25 elsewhere.", "That helps."],
        ["Leaders act on audits, supervision, etc. when they can.", "It shows."],
    ],
)
def test_split(sentences: list[str]) -> None:
    assert split(" ".join(sentences)) == sentences


def test_lead_in_is_one_sentence() -> None:
    assert split("Leaders should improve:") == ["Leaders should improve:"]
    assert split("They did two things: they listened and they acted.") == [
        "They did two things: they listened and they acted."
    ]


@example("1?  1")
@given(st.text(alphabet="abC. ,?!’)(”'\"1½\u00a0\n…éE", max_size=80))
def test_splitting_loses_no_character(text: str) -> None:
    pieces = split_sentences(text)
    assert "".join("".join(piece.split()) for _, piece in pieces) == "".join(text.split())
    for offset, piece in pieces:
        assert text[offset : offset + len(piece)] == piece
        assert piece == piece.strip()
        assert piece


@given(
    st.lists(
        st.lists(
            st.sampled_from("we They plan e.g. No. 5 staff (both) 91.5% St. p.m. child’s ‘yes’ 2023".split()),
            min_size=1,
        ),
        min_size=1,
        max_size=5,
    )
)
def test_the_short_way_finds_what_punkt_finds(words: list[list[str]]) -> None:
    text = " ".join(" ".join(sentence) + "." for sentence in words)
    quick = splitter._plain_ends(text, 0, len(text))
    if quick is None:
        return
    punkt = [start for start in splitter._punkt().starts(text) if start]
    after_numbers = [found.end() for found in splitter._AFTER_NUMBER.finditer(text)]
    assert sorted({end for end in quick if end < len(text)}) == sorted({*punkt, *after_numbers})


def test_shipped_parameters_are_those_that_training_gives(tmp_path: Path) -> None:
    labels = Path(__file__).resolve().parent.parent / "data" / "labels"
    trained = splitter.train_parameters(splitter.read_paragraphs(labels.glob("authored-*.jsonl")))
    target = tmp_path / "punkt.json"
    splitter.write_parameters(trained, target)
    assert target.read_bytes() == splitter.PARAMETERS.read_bytes()
    assert set(trained["abbreviations"]) == splitter.ABBREVIATIONS


@given(st.text(max_size=60))
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
    assert sentence_key(once) == sentence_key(text)


@given(st.text(alphabet=st.characters(max_codepoint=0x2100), max_size=40))
def test_normalise_keeps_letters_and_digits_alone(text: str) -> None:
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).lower())
    expected = "".join(char if char.isalnum() else " " for char in folded).split()
    assert normalise(text).split() == expected


def test_key_is_that_of_the_normalised_text() -> None:
    assert normalise("  Children’s   plans — 91% — are “good”. ") == "children s plans 91 are good"
    assert sentence_key("Plans are GOOD!") == hashlib.sha256(b"plans are good").hexdigest()


def document(*blocks: Block) -> Document:
    return Document(Metadata("inspection_report", "ILACS", "Aldmoor", "2021-11-19"), blocks)


def test_table_has_the_documented_columns() -> None:
    table = sentence_table(
        document(
            Block("title", "Inspection of Aldmoor. A report.", 1),
            Block("heading", "Care leavers: good", 1, level=1),
            Block("paragraph", "Plans are good. They are shared. Most work", 1, ((33, 2),)),
            Block("bullet", "Plans help. So do visits.", 2),
            Block("table_row", "Overall effectiveness Good. Yes.", 2),
        ),
        "a.pdf",
        "f" * 16,
    ).to_pandas()
    assert tuple(table.columns) == SENTENCE_COLUMNS
    assert table["text"].tolist() == [
        "Inspection of Aldmoor. A report.",
        "Care leavers: good",
        "Plans are good.",
        "They are shared.",
        "Most work",
        "Plans help.",
        "So do visits.",
        "Overall effectiveness Good. Yes.",
    ]
    assert table["page"].tolist() == [1, 1, 1, 1, 2, 2, 2, 2]
    assert table["paragraph"].tolist() == [1, 2, 3, 3, 3, 4, 4, 5]
    assert table["position"].tolist() == list(range(1, 9))
    assert table["section"].tolist()[1:] == ["Care leavers: good"] * 7
    assert table["section_grade"].tolist()[1:] == ["good"] * 7
    assert table["provider"].unique().tolist() == ["Aldmoor"]
    assert table["key"].tolist() == [sentence_key(text) for text in table["text"]]


def test_types_do_not_depend_on_content() -> None:
    empty = sentence_table(Document(), "a.txt", "0" * 16).to_pandas()
    pageless = sentence_table(Document(blocks=(Block("paragraph", "One. Two."),)), "a.txt", "0" * 16).to_pandas()
    full = sentence_table(document(Block("heading", "Care: good", 1, level=1)), "a.pdf", "0" * 16).to_pandas()
    assert len(empty) == 0
    assert pageless["page"].isna().all()
    schemas = {
        str(pa.Table.from_pandas(t, preserve_index=False).schema.remove_metadata()) for t in (empty, pageless, full)
    }
    assert len(schemas) == 1
    for table in (empty, pageless, full):
        assert table["page"].dtype == "Int64"
        assert table["paragraph"].dtype == table["position"].dtype == "int64"
        buffer = io.BytesIO()
        table.to_parquet(buffer)
        pd.testing.assert_frame_equal(pd.read_parquet(buffer), table)


def grades(*blocks: Block) -> list[str | None]:
    table = sentence_table(document(*blocks), "a.pdf", "0" * 16).to_pandas()
    return [None if pd.isna(grade) else grade for grade in table["section_grade"]]


def test_grade_from_a_line_below_the_heading() -> None:
    assert grades(
        Block("heading", "Care leavers", level=1),
        Block("paragraph", "Requires improvement to be good"),
        Block("paragraph", "Plans vary."),
    ) == [None, "requires improvement", "requires improvement"]


def test_grade_from_the_judgement_table() -> None:
    assert grades(
        Block("table_row", "Judgement Grade"),
        Block("table_row", "Experiences of care leavers Inadequate"),
        Block("table_row", "Overall effectiveness Good"),
        Block("heading", "Experiences of care leavers", level=1),
        Block("paragraph", "Plans vary."),
        Block("heading", "A minor point", level=2),
        Block("paragraph", "Homes are few."),
        Block("heading", "About this inspection", level=1),
        Block("paragraph", "Inspectors came."),
    ) == [None, None, None, "inadequate", "inadequate", "inadequate", "inadequate", None, None]


def test_recurring_headings_stand_below_a_graded_one() -> None:
    assert grades(
        Block("title", "A report", 1),
        Block("heading", "Care leavers Good", 2, level=1),
        Block("heading", "Summary", 2, level=1),
        Block("paragraph", "Plans help.", 2),
        Block("heading", "Leadership Inadequate", 3, level=1),
        Block("heading", "Summary", 3, level=1),
        Block("paragraph", "Leaders drift.", 3),
        Block("heading", "About us", 4, level=1),
        Block("paragraph", "We inspect.", 4),
    ) == [None, "good", "good", "good", "inadequate", "inadequate", "inadequate", None, None]


def test_grade_below_a_heading_that_it_names_is_over_all_of_its_section() -> None:
    assert grades(
        Block("title", "A report", 1),
        Block("heading", "The Board (LSB)", 2, level=1),
        Block("heading", "The Board requires improvement", 2, level=2),
        Block("heading", "Executive summary", 2, level=2),
        Block("paragraph", "The board meets.", 2),
        Block("heading", "1. The trust", 3, level=1),
        Block("heading", "Some schools are good", 3, level=2),
        Block("heading", "Executive summary", 3, level=2),
        Block("heading", "Findings", 3, level=2),
        Block("paragraph", "The trust works.", 3),
    ) == [None, None, *["requires improvement"] * 3, None, "good", "good", None, None]


def test_imprint_stands_in_no_section() -> None:
    table = sentence_table(
        document(
            Block("heading", "Leadership: good", 1, level=1),
            Block("paragraph", "Leaders plan.", 1),
            Block("paragraph", "A note.", 1, aside=True),
            Block("paragraph", "Printed in Aldmoor.", 2, aside=True),
            Block("paragraph", "Leaders act.", 2),
        ),
        "a.pdf",
        "0" * 16,
    ).to_pandas()
    assert table["section"].isna().tolist() == [False, False, False, True, False]
    assert table["section_grade"].isna().tolist() == [False, False, False, True, False]


def test_importing_is_light() -> None:
    heavy = "{'nltk', 'pandas', 'trafilatura', 'docx', 'pypdfium2', 'sklearn', 'mlflow'}"
    code = f"import sys, pipeline.reading, pipeline.sentences; print(sorted({heavy} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_a_reference_in_brackets_stays_with_its_sentence() -> None:
    text = "Checks must be up to date. (Regulation 17)"
    assert [sentence for _, sentence in split_sentences(text)] == [text]
    text = "Checks are late. (They were late before.) They must improve."
    assert len(split_sentences(text)) == 3


def test_arrow_table_is_made_without_loading_pandas() -> None:
    code = (
        "import sys\n"
        "from pipeline.reading import Block, Document\n"
        "from pipeline.sentences import sentence_table\n"
        "rows = sentence_table(Document(blocks=(Block('paragraph', 'Staff are kind. Élan – 2 of 3.', 7),)), 'a', '0')\n"
        "assert 'pandas' not in sys.modules\n"
        "print(*(rows[name].to_pylist() for name in ('text', 'page', 'section', 'provider')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['Staff are kind.', 'Élan – 2 of 3.'] [7, 7] [None, None] [None, None]"
