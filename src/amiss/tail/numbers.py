"""Rows of numbers in files: a sample for each field that is named, and no event."""

from collections.abc import Mapping, Sequence

import numpy as np

from amiss.data import Records, Strings
from amiss.formats.batch import Batch
from amiss.formats.parsed import NO_NUMBER
from amiss.formats.settings import label

UNNAMED = "numbers without a name"


def samples(
    batch: Batch, values: Sequence[str], metric: str, labels: Mapping[str, Strings]
) -> Records:
    """The numbers of N rows as records without text, called as their field, or as `metric` says.

    `labels` are (N,) each. What is empty was not observed; what is no number, or has no name where
    `metric` names the field with it, is counted with a reason. Cost: O(N) for each field.
    """
    n, skipped = len(batch.time), dict[str, int]()
    value = np.full((n, len(values)), np.nan)
    for i, name in enumerate(values):
        value[:, i] = batch.numbers(name)
        said = batch.column(name) != ""
        skipped[NO_NUMBER] = skipped.get(NO_NUMBER, 0) + int((said & np.isnan(value[:, i])).sum())
    called = np.tile(np.array([label(name) for name in values], str), (n, 1))
    if metric:
        names = [label(name) if name else "" for name in batch.column(metric).tolist()]
        called = np.array(names, str)[:, None]
        skipped[UNNAMED] = int((np.isfinite(value) & (called == "")).sum())
        value = np.where(called == "", np.nan, value)
    row, column = np.nonzero(np.isfinite(value))
    return Records(
        time=np.array(batch.time, np.int64)[row],
        name=called[row, column],
        value=value[row, column],
        labels={name: one[row] for name, one in labels.items()},
        skipped={reason: count for reason, count in skipped.items() if count},
    )
