"""The one sentence that says how things are."""

from amiss.run.now import Now


def headline(now: Now) -> str:
    """What somebody half awake wants to know: is Amiss awake, and is anything amiss."""
    lost = [pipeline for pipeline in now.pipelines if pipeline.health == "failing"]
    if lost and now.phase != "stopping":
        names = ", ".join(pipeline.name for pipeline in lost)
        return f"Amiss cannot see {names}: {lost[0].reason}"
    count = len(now.open)
    if count:
        return f"{count} thing{'s are' if count > 1 else ' is'} amiss"
    if now.phase != "watching":
        return now.reason
    judged = sum(one.state == "judged" for one in now.series)
    spent = f"{now.budget.today} of {now.budget.asked:g} incidents used today"
    return f"All quiet: {judged} series watched, {spent}"
