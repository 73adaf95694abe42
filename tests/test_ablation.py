"""What is taken away to measure its worth is there to be taken away."""

from pathlib import Path

import pytest

import amiss
from measured import benchmark

SERIES, RECORDS = benchmark("_variants"), benchmark("_record_variants")
PARTS = (*SERIES.PARTS, *RECORDS.RECORD_PARTS)
SCALED = (*SERIES.SCALED, *SERIES.OF_RUNS, *RECORDS.RECORD_SCALED)
PACKAGE = Path(amiss.__file__).parent


@pytest.mark.parametrize("variant", (*PARTS, *SCALED), ids=lambda variant: variant.name)
def test_each_text_that_is_changed_stands_in_the_code_once(variant) -> None:
    for file, old, new in variant.edits:
        assert (PACKAGE / file).read_text("utf8").count(old) == 1, (file, old)
        assert new != old
