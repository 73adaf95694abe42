"""Configuration files: every mistake at once, with its line, and what would be right."""

import os
import re
import socket
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from amiss import config
from amiss.component import Cursor, Detector, Sink, Source, find
from amiss.config.write import BLUEPRINTS
from amiss.data import SECOND, Records
from amiss.errors import ConfigError
from amiss.pipeline import Pipeline
from amiss.settings import Keep, Settings, default
from amiss.world import World

ROOT = Path(__file__).parent.parent
DETECTORS = ", ".join(sorted(find("amiss.detectors", Detector)))
SINKS = ", ".join(sorted(find("amiss.sinks", Sink)))
SOURCES = ", ".join(sorted(find("amiss.sources", Source)))
GOOD = """\
pipelines:
  - name: host
    source: {type: host}
    features: {type: grid}
    detectors: [{type: level}]
"""


def mistakes(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        config.parse(text, "amiss.yaml")
    return str(caught.value).splitlines()


def with_more(*lines: str) -> str:
    return GOOD + "".join(f"{line}\n" for line in lines)


def test_all_mistakes_are_said_at_once_in_the_order_of_their_lines() -> None:
    assert mistakes(
        """\
listn: 127.0.0.1:8600
budget: 0/day
checkpoint: 300
keep: 5
pipelines:
  - name: Host
    source: {type: hots, every: 5s}
    features: {type: grid, every: 0s, late: 1x}
    max_series: many
    detectors:
      - type: drft
      - type: drift
        spam: 3
        span: 1
      - span: 4
      - level
  - name: b
    budget: 5/day
    budget: 6/day
sinks:
  a: {type: webhook}
  b: {type: stdout, format: jsonn}
  c: {type: jsonl, path: x, keep: 1.5}
  d: {type: apprise, urls: []}
token: hunter2
"""
    ) == [
        "amiss.yaml:1: listn: unknown setting; did you mean 'listen'?",
        "amiss.yaml:2: budget: must be above 0",
        "amiss.yaml:3: checkpoint: a span of time needs its unit: write 300s, 15m, 6h or 1d",
        "amiss.yaml:4: keep: names and values are expected here",
        "amiss.yaml:6: pipelines.0.name: write small letters, digits, - and _, the first a letter",
        "amiss.yaml:7: pipelines.0.source.type: unknown type 'hots'; did you mean 'host'? "
        f"known: {SOURCES}",
        "amiss.yaml:8: pipelines.0.features.every: must be above 0",
        "amiss.yaml:8: pipelines.0.features.late: '1x' is not a span of time; "
        "write 90s, 15m, 6h or 1d",
        "amiss.yaml:9: pipelines.0.max_series: a whole number is expected here",
        "amiss.yaml:11: pipelines.0.detectors.0.type: unknown type 'drft'; did you mean 'drift'? "
        f"known: {DETECTORS}",
        "amiss.yaml:13: pipelines.0.detectors.1.spam: unknown setting; did you mean 'span'?",
        "amiss.yaml:14: pipelines.0.detectors.1.span: must be at least 2",
        f"amiss.yaml:15: pipelines.0.detectors.2: 'type' is missing; known: {DETECTORS}",
        "amiss.yaml:16: pipelines.0.detectors.3: names and values are expected here",
        "amiss.yaml:17: pipelines.1: 'source' is missing; where records come from",
        "amiss.yaml:17: pipelines.1: 'features' is missing; how records become numbers",
        "amiss.yaml:17: pipelines.1: 'detectors' is missing; who judges; each is calibrated in "
        "the same way, and they are fused",
        "amiss.yaml:19: pipelines.1.budget: stands there twice; first in line 18",
        "amiss.yaml:21: sinks.a: 'url' is missing; where to post: `env:NAME` or `file:/path` of "
        "the address, or the address if no secret, such as env:AMISS_WEBHOOK_URL",
        "amiss.yaml:22: sinks.b.format: unknown word 'jsonn'; did you mean 'json'? "
        "known: text, json",
        "amiss.yaml:23: sinks.c.keep: a whole number is expected here",
        "amiss.yaml:24: sinks.d.urls: at least 1 is needed",
        "amiss.yaml:25: token: a secret is written env:NAME or file:/path, never in the file "
        "itself",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "amiss.yaml: nothing is configured in it; `amiss init` writes one"),
        ("# later\n", "amiss.yaml: nothing is configured in it; `amiss init` writes one"),
        (
            "- 1\n",
            "amiss.yaml:1: settings are expected here, such as `budget: 5/day`; "
            "`amiss init` writes one",
        ),
        ("a:\n\tb: 1\n", "amiss.yaml:2: a tab stands here; YAML is indented with spaces"),
        (
            "a: [1,\nb: 2\n",
            "amiss.yaml:3: not YAML: expected ',' or ']', but got '<stream end>' "
            "while parsing a flow sequence that began in line 1",
        ),
        (
            'a: "x\n',
            "amiss.yaml:2: not YAML: found unexpected end of stream "
            "while scanning a quoted scalar that began in line 1",
        ),
        ("a: 1\nb: c: d\n", "amiss.yaml:2: not YAML: mapping values are not allowed here"),
        ("a: *b\n", "amiss.yaml:1: not YAML: found undefined alias 'b'"),
        ("a: &b [*b]\n", "amiss.yaml:1: not YAML: an anchor is repeated in itself"),
        ("? [a]\n: b\n", "amiss.yaml:1: not YAML: a name is expected before the colon"),
        ("a: 1\n---\nb: 2\n", "amiss.yaml:2: a second document begins here; one is expected"),
        (
            "a: !!python/object:os.system x\n",
            "amiss.yaml:1: the tag '!!python/object:os.system' means nothing here",
        ),
        (
            "a: \0\n",
            "amiss.yaml: not YAML: unacceptable character #x0000: "
            "special characters are not allowed",
        ),
        ("[" * 5000, "amiss.yaml: not a configuration: it is nested too deeply"),
        ("pipelines: []\n", "amiss.yaml:1: pipelines: at least 1 is needed"),
        ("pipelines: {}\n", "amiss.yaml:1: pipelines: a list is expected here"),
    ],
)
def test_what_is_no_configuration_gets_one_sentence(text: str, said: str) -> None:
    assert mistakes(text) == [said]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("on: 1", "on: YAML does not read this as a name; put it in quotes"),
        ("7: 1", "7: YAML does not read this as a name; put it in quotes"),
        ("budget: .nan", "budget: must be above 0"),
        ("budget: often", "budget: 'often' is not a rate; write 5/day or 1/week"),
        (
            "spam: 1",
            "spam: unknown setting; known: listen, token, hosts, budget, checkpoint, keep, "
            "retrain_every, retrain, pipelines, exports, sinks",
        ),
        ("keep: {days: 0}", "keep.days: must be at least 1"),
        ("hosts: here", "hosts: a list is expected here"),
        ("checkpoint: true", "checkpoint: a span of time needs its unit: "
         "write 90s, 15m, 6h or 1d"),
        ("checkpoint: 1.5", "checkpoint: a span of time needs its unit: "
         "write 1.5s, 15m, 6h or 1d"),
        ("checkpoint: 999999d", "checkpoint: '999999d' is too long; write 36500d at most"),
        (f"checkpoint: {'9' * 400}d",
         f"checkpoint: '{'9' * 60}' is too long; write 36500d at most"),
        ("retrain_every: 0s", "retrain_every: must be above 0"),
        ("keep: {days: 36501}", "keep.days: must be at most 36500"),
        ("keep: {incident_days: 36501}", "keep.incident_days: must be at most 36500"),
        ("keep: {days: 0x_}",
         "keep.days: '0x_' cannot be read as a whole number; quote it if it is text"),
        ("listen: !!bool x",
         "listen: 'x' cannot be read as true or false; quote it if it is text"),
        ("2026-01-01 25:00:00: 1", "2026-01-01 25:00:00: '2026-01-01 25:00:00' cannot be read as "
         "a date; quote it if it is text"),
        ("listen: here", "listen: 'here' is not an address; write 127.0.0.1:8600"),
        ("retrain_every: 5", "retrain_every: a span of time needs its unit: "
         "write 5s, 15m, 6h or 1d"),
        ("sinks: {a: {type: pigeon}}", "sinks.a.type: unknown type 'pigeon'; "
         f"known: {SINKS}"),
        ("sinks: {a: {type: stdout, template: ''}}",
         "sinks.a.template: the template is empty; its first line is the title"),
    ],
)  # fmt: skip
def test_a_wrong_setting_gets_one_sentence(line: str, said: str) -> None:
    assert mistakes(with_more(line)) == [f"amiss.yaml:6: {said}"]


@pytest.mark.parametrize("kind", ["source", "features", "detectors"])
@pytest.mark.parametrize("said", ["[level]", "{a: 1}", "2026-02-30", "7"])
def test_a_type_that_is_no_word_gets_a_sentence(kind: str, said: str) -> None:
    found = mistakes(re.sub(rf"({kind}: .*type: )\w+", rf"\g<1>{said}", GOOD))
    assert any(f"pipelines.0.{kind}" in one and ".type: " in one for one in found), found


MARKS = st.sampled_from([*"-?:,[]{}#&*!|>'\"%@`=~<\n\t", "\n  ", ": ", "- ", "<<: ", "&a ", "*a"])
VALUES = st.sampled_from(
    ["!!int x", "!!bool x", "!!timestamp x", "!!set {x}", "2026-02-30", "0x_", "1e999", ".nan", "7",
     "-1", "true", "999999d", "9" * 400, "9" * 400 + "d", "9" * 5000, "0s", "[level]", "{a: 1}"]
)  # fmt: skip
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.dates() | st.text()
NAMES = st.sampled_from([*Settings.model_fields, *Pipeline.model_fields, *Keep.model_fields])
DATA = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | SCALARS, inner, max_size=4),
    max_leaves=12,
)
FLOW = DATA.map(lambda data: yaml.safe_dump(data, default_flow_style=True).removesuffix("...\n"))
WORDS = re.findall(
    r"\w+|\W", f"{GOOD}budget: 5/day\ncheckpoint: 5m\nkeep: {{days: 3}}\nsinks: {{}}\n"
)
PLACES = st.sampled_from([i for i, word in enumerate(WORDS) if word.isalnum()])


@given(
    st.text() | st.lists(MARKS | VALUES).map("".join) | DATA.map(yaml.safe_dump),
    st.dictionaries(PLACES, VALUES | MARKS | FLOW, min_size=1, max_size=3),
)
def test_any_text_at_all_is_a_configuration_or_gets_sentences(
    text: str, swapped: dict[int, str]
) -> None:
    nearly = "".join(swapped.get(i, word) for i, word in enumerate(WORDS))
    for said in (text, nearly):
        try:
            assert isinstance(config.parse(said, "amiss.yaml"), Settings)
        except ConfigError as exc:
            assert str(exc).startswith("amiss.yaml:")


def test_what_settings_say_of_one_another_is_said_of_the_whole() -> None:
    assert mistakes(with_more("listen: 0.0.0.0:80")) == [
        "amiss.yaml:1: listen: 0.0.0.0:80 can be reached from elsewhere, so a token is needed: "
        "token: env:AMISS_TOKEN, or listen on 127.0.0.1"
    ]
    assert mistakes(GOOD + GOOD.partition("\n")[2]) == [
        "amiss.yaml:1: two pipelines are called 'host'"
    ]
    assert mistakes(GOOD.replace("[{type: level}]", "[{type: level}, {type: level}]")) == [
        "amiss.yaml:2: pipelines.0: detector 'level' stands there twice with equal settings"
    ]


def test_a_small_file_cannot_be_endless() -> None:
    levels = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9))
    assert mistakes(f"a0: &a0 [1]\n{levels}") == [
        "amiss.yaml:1: not YAML: there are more than 100,000 values"
    ]


def test_a_source_that_is_always_polled_is_refused() -> None:
    class Busy(Source):
        """One that has no interval of its own."""

        def poll(self, cursor: Cursor, world: World) -> tuple[Cursor, Records]:
            raise NotImplementedError

    with pytest.raises(ValueError, match="greater than 0"):
        Busy(every=0)
    assert Busy().every == 30 * SECOND


def test_anchors_and_merges_work_and_may_be_overruled() -> None:
    text = with_more(
        "sinks:", "  a: &a {type: stdout, format: json}", "  b: {<<: *a, format: text}"
    )
    sinks = config.parse(text, "amiss.yaml").sinks
    assert [dict(sink)["format"] for sink in sinks.values()] == ["json", "text"]


def test_a_mistake_in_a_merged_part_has_a_line() -> None:
    text = with_more("sinks:", "  a: &a {type: stdout}", "  b:", "    <<: *a", "    fromat: text")
    assert mistakes(text) == [
        "amiss.yaml:10: sinks.b.fromat: unknown setting; did you mean 'format'?"
    ]


def test_reading_files_that_are_none(tmp_path: Path) -> None:
    def said(path: Path) -> str:
        with pytest.raises(ConfigError) as caught:
            config.read(path)
        return str(caught.value).removeprefix(f"{path}: ")

    assert said(tmp_path / "no.yaml") == "there is no such file; `amiss init` writes one"
    assert said(tmp_path) == "a folder, where a file is needed; `amiss init` writes one"
    (tmp_path / "junk").write_bytes(bytes(range(256)))
    assert said(tmp_path / "junk") == "not a text in UTF-8"
    (tmp_path / "file").write_text(GOOD)
    assert said(tmp_path / "file" / "below") == "cannot be read: Not a directory"
    assert said(Path("/dev/zero")) == "larger than 10 MB, which no configuration is"
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(tmp_path / "socket"))
        assert said(tmp_path / "socket") == "cannot be read: No such device or address"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_reading_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = tmp_path / "amiss.yaml"
    path.write_text(GOOD)
    path.chmod(0)
    with pytest.raises(ConfigError, match="cannot be read: Permission denied"):
        config.read(path)


def test_a_file_from_windows_is_read(tmp_path: Path) -> None:
    path = tmp_path / "amiss.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert config.read(path) == config.parse(GOOD, "amiss.yaml")


@pytest.mark.parametrize("name", sorted(BLUEPRINTS))
def test_what_is_written_is_read_as_it_was(name: str) -> None:
    settings = BLUEPRINTS[name]()
    assert config.parse(config.write(settings), name) == settings


def test_the_blueprint_of_this_host_is_what_runs_without_a_file() -> None:
    path = ROOT / "blueprints" / "this-host.yaml"
    assert config.read(path) == default()
    assert path.read_text(encoding="utf-8") == config.write(default(), "this-host.yaml"), (
        "run: amiss init this-host -o blueprints/this-host.yaml --force"
    )


def test_every_setting_is_written_and_explained() -> None:
    lines = config.write(default()).splitlines()
    for name, info in Settings.model_fields.items():
        at = next(n for n, line in enumerate(lines) if line.partition(":")[0] == name)
        assert lines[at - 1].startswith("# ")
        assert " ".join((info.description or "").split()).endswith(lines[at - 1][2:])


def test_the_sinks_that_are_shown_can_be_used() -> None:
    text = config.write(default())
    before, examples = text.split("sinks: {}\n")
    shown = [line.removeprefix("#") for line in examples.splitlines() if line.startswith("#  ")]
    settings = config.parse("\n".join([f"{before}sinks:", *shown]), "amiss.yaml")
    assert [dict(sink)["type"] for sink in settings.sinks.values()] == [
        "apprise",
        "webhook",
        "syslog",
        "jsonl",
    ]


def test_other_settings_are_written_as_well() -> None:
    text = with_more(
        "budget: 1/week", "keep: {days: 3}", "retrain_every: 1d", "hosts: [a.example, b.example]",
        "token: env:AMISS_TOKEN",
        "sinks:", "  hook: {type: webhook, url: 'env:HOOK', headers: {X: 'env:X'}}",
        "  file: {type: jsonl, path: told.jsonl}",
    )  # fmt: skip
    settings = config.parse(text, "amiss.yaml")
    written = config.write(settings)
    assert config.parse(written, "amiss.yaml") == settings
    assert yaml.safe_load(written)["sinks"]["hook"]["url"] == "env:HOOK"
