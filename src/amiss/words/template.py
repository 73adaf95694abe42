"""Templates: what a user may write the words that go out with. Pure.

A template is plain text: its first line is the title, the rest the body. `$name` stands
for one of the fields below, `$$` for a dollar; nothing else is read in it, so no template
can run code. A line that names an empty field is left out.

    title      what is amiss, in one line, with severity; or that it is over
    sentence   what was seen against what was expected
    severity   low, medium or high
    since      local time with zone, and how long ago
    until      the same for its end; empty while it lasts
    duration   how long it lasted, or has lasted so far
    rarity     how rare this is, such as "about once in 3 months"; empty if unknown
    members    up to three further series that are strange with it; may be empty
    evidence   one line seen at that moment, such as the busiest processes; may be empty
    address    of the incident's page; empty if no address is configured
    state      open or resolved
    id         of the incident
"""

from collections.abc import Mapping
from difflib import get_close_matches
from string import Template as Text

FIELDS = tuple(
    "title sentence severity since until duration rarity members evidence address state id".split()
)
WORDS = """\
$title

$sentence
Also: $members
Since $since
Over since $until, after $duration
Seen then: $evidence
$address
"""


def fill(template: str, said: Mapping[str, str]) -> str:
    """The text of a checked template, `said` giving every field."""
    lines = [Text(line) for line in template.splitlines()]
    return "\n".join(
        line.substitute(said) for line in lines if all(said[n] for n in line.get_identifiers())
    )


def check_template(text: str) -> None:
    """ValueError if it is empty, or names a field that there is none of."""
    if not text.strip():
        raise ValueError("the template is empty; its first line is the title")
    if not Text(text).is_valid():
        raise ValueError("a $ in a template starts the name of a field; write $$ for a dollar")
    for name in Text(text).get_identifiers():
        if name not in FIELDS:
            near = get_close_matches(name, FIELDS, 1)
            hint = f"did you mean ${near[0]}?" if near else f"there are ${', $'.join(FIELDS)}"
            raise ValueError(f"the template names ${name}, which is no field; {hint}")
