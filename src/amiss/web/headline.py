"""How things are: decided here, said in one sentence by the API and at length by the dashboard."""

from typing import Literal, TypeAlias

from amiss.run.now import Now, PipelineNow

Condition: TypeAlias = Literal["stopping", "blind", "amiss", "waiting", "quiet"]


def blind(now: Now) -> list[PipelineNow]:
    """The pipelines whose source fails, or has not been heard of for too long."""
    return [pipeline for pipeline in now.pipelines if pipeline.health == "failing"]


def condition(now: Now) -> Condition:
    """What somebody half awake wants to know first: is Amiss awake, and is anything amiss."""
    if now.phase == "stopping":
        return "stopping"
    if blind(now):
        return "blind"
    if now.open:
        return "amiss"
    return "quiet" if now.phase == "watching" else "waiting"


def few_words(now: Now) -> str:
    """The condition as a title."""
    match condition(now):
        case "stopping":
            return "Amiss is stopping"
        case "blind":
            return f"Amiss cannot see {', '.join(pipeline.name for pipeline in blind(now))}"
        case "amiss":
            count = len(now.open)
            return f"{count} thing{'s are' if count > 1 else ' is'} amiss"
        case "waiting":
            waking = now.phase == "starting"
            return "Waking up" if waking else "Getting to know what is normal"
        case "quiet":
            return "All quiet"


def headline(now: Now) -> str:
    """The condition as a sentence."""
    match condition(now):
        case "blind":
            return f"{few_words(now)}: {blind(now)[0].reason}"
        case "waiting":
            return now.reason
        case "quiet":
            judged = sum(one.state == "judged" for one in now.series)
            spent = f"{now.budget.today} of {now.budget.asked:g} incidents used today"
            return f"{few_words(now)}: {judged} series watched, {spent}"
        case _:
            return few_words(now)


def unready(now: Now) -> str:
    """Why the watch does not go on; "" if it does, for one of the pipelines at least."""
    if now.phase == "stopping" or not any(pipeline.ticks for pipeline in now.pipelines):
        return now.reason
    lost = blind(now)
    return headline(now) if len(lost) == len(now.pipelines) else ""
