"""How good is what Amiss says, on public labelled data: readers, measures, baselines, runs."""
