"""The Python API of system 3, as its own description uses it: from the first steps to an alert."""

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Queue
from typing import Any

import apprise
import numpy as np
import orjson
import pandas as pd
import polars as pl
import pytest

from amiss import AnomalyDetectionSystem, RealTimeMonitor
from amiss.errors import ConfigError, StateError
from amiss.facade import alerts, trained
from amiss.facade import monitor as monitoring
from amiss.facade.alerts import Sender, incident
from amiss.facade.config import Alerts, checked, detector
from amiss.facade.journal import Journal
from amiss.facade.samples import BUILT_IN, features, kind_of
from amiss.sinks.apprise import Apprise
from amiss.world import World
from servers.receivers import PATIENCE, MailServer, Receiver

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

USUAL = {"packet_size": 1500, "protocol": "TCP", "src_port": 80, "dst_port": 443, "duration": 0.5}
ODD = {
    "packet_size": 65535,
    "protocol": "UNKNOWN",
    "src_port": 31337,
    "dst_port": 22,
    "duration": 0.001,
}
SMALL = {"sequence_length": 10, "units": 4, "dropout": 0.2, "steps": 30}


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all three models of two kinds of sample."""
    folder = tmp_path_factory.mktemp("facade")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        system = AnomalyDetectionSystem()
        system.config["models"]["lstm"] = SMALL
        data = system.generate_training_data(1200)
        data = [one for one in data if one["data_type"] in ("network", "system")]
        told = system.train_isolation_forest(data)
        system.train_lstm_model(data)
        system.train_dbscan_model(data)
        system.save_models()
    assert told["network"]["samples"] == 300
    assert 0 <= told["network"]["validation"]["told"]["0.01"] <= 1
    return folder / "models"


@pytest.fixture
def system(models: Path) -> AnomalyDetectionSystem:
    made = AnomalyDetectionSystem()
    assert made.load_models(models) == 6
    return made


def same(one: dict[str, Any], other: dict[str, Any]) -> None:
    for name in ("is_anomaly", "severity", "data_type", "blame"):
        assert one[name] == other[name], name
    assert one["confidence"] == pytest.approx(other["confidence"], rel=1e-6)
    assert one["models"] == pytest.approx(other["models"], rel=1e-6)


def test_the_first_steps(system: AnomalyDetectionSystem) -> None:
    result = system.detect_anomalies(USUAL, "network")
    assert not result["is_anomaly"]
    assert 0 <= result["confidence"] < 0.5
    assert result["severity"] == "low"
    result = system.detect_anomalies(ODD, "network")
    assert result["is_anomaly"]
    assert result["confidence"] > 0.9
    assert result["severity"] == "high"
    assert result["blame"][0] in ODD
    assert set(result["models"]) == {"isolation_forest", "lstm", "dbscan"}
    hot = {"cpu_usage": 99.9, "memory_usage": 99.0, "disk_io": 1e6, "network_io": 1e6}
    assert system.detect_anomalies(hot)["is_anomaly"], "its keys say what it is"
    assert system.stats["total_samples"] == 3
    assert system.stats["anomalies_detected"] == 2
    assert system.stats["last_model_update"].endswith("Z")


def test_it_is_there_when_it_is_asked_for_and_not_before() -> None:
    code = (
        "import sys, amiss\n"
        "assert not {'numba', 'amiss.facade'} & sys.modules.keys()\n"
        "from amiss import AnomalyDetectionSystem, RealTimeMonitor\n"
        "assert 'sklearn' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_many_are_judged_as_one_by_one(models: Path) -> None:
    one, other = AnomalyDetectionSystem(), AnomalyDetectionSystem()
    for each in (one, other):
        each.load_models(models)
    samples = [s for s in one.generate_training_data(80) if s["data_type"] in ("network", "system")]
    together = one.detect_anomalies_batch([*samples, ODD])
    for sample, result in zip([*samples, ODD], together, strict=True):
        same(other.detect_anomalies(sample), result)
    assert one.stats == other.stats


def test_models_that_were_loaded_say_what_they_said(tmp_path: Path) -> None:
    system = AnomalyDetectionSystem()
    system.train_dbscan_model(system.generate_training_data(1200)[::4], "network")
    before = system.detect_anomalies(ODD)
    (file,) = system.save_models(tmp_path / "kept")
    again = AnomalyDetectionSystem()
    again.load_models(tmp_path / "kept")
    same(again.detect_anomalies(ODD), before)
    assert again.models[0].figures == system.models[0].figures
    harmed = bytearray(file.read_bytes())
    harmed[len(harmed) // 2] ^= 1
    file.write_bytes(harmed)
    with pytest.raises(StateError, match=file.name):
        again.load_models(tmp_path / "kept")
    with pytest.raises(ConfigError, match="no model in this folder"):
        again.load_models(tmp_path / "nowhere")


# Configuration


def test_a_file_with_every_default_is_written_on_the_first_run(tmp_path: Path) -> None:
    AnomalyDetectionSystem()
    file = tmp_path / "anomaly_config.json"
    assert file.stat().st_mode & 0o777 == 0o600
    said = orjson.loads(file.read_bytes())
    forest = {"contamination": 0.1, "n_estimators": 100, "random_state": 42}
    lstm = {"sequence_length": 50, "units": 64, "dropout": 0.2}
    assert said["models"]["isolation_forest"] == forest
    assert lstm.items() <= said["models"]["lstm"].items()
    assert said["models"]["dbscan"] == {"eps": 0.5, "min_samples": 5}
    assert {"enabled", "smtp_server", "smtp_port", "sender", "recipients", "password"} <= set(
        said["alerts"]["email"]
    )
    said["models"]["dbscan"]["eps"] = 0.3
    file.write_bytes(orjson.dumps({"models": said["models"]}))
    again = AnomalyDetectionSystem()
    assert again.config["models"]["dbscan"]["eps"] == 0.3
    assert again.config["max_historical_records"] == 10_000
    again.config["models"]["lstm"]["sequence_length"] = 100
    again.save_config()
    assert orjson.loads(file.read_bytes())["models"]["lstm"]["sequence_length"] == 100


def test_parameters_are_those_of_the_detectors() -> None:
    config = checked(
        {
            "models": {
                "isolation_forest": {"n_estimators": 7, "random_state": 3},
                "lstm": {"sequence_length": 20, "units": [8, 4], "dropout": 0.5},
                "dbscan": {"eps": None, "min_samples": 9},
            }
        },
        "here",
    )
    forest, lstm, dbscan = (detector(config, n).model_dump() for n in trained.KINDS)
    assert (forest["trees"], forest["seed"]) == (7, 3)
    assert (lstm["window"], lstm["units"], lstm["dropout"]) == (20, (8, 4), 0.5)
    assert (dbscan["eps"], dbscan["min_samples"]) == (None, 9)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"models": {"lstm": {"epochs": 5}}}, r"models\.lstm\.epochs is no setting .* there are"),
        ({"models": {"lstm": {"dropuot": 0.1}}}, r"did you mean dropout\?"),
        ({"models": {"lstm": {"dropout": 1.0}}}, r"models\.lstm\.dropout: .* less than 1"),
        ({"models": {"dbscan": {"metric": "cosine"}}}, r"there are eps, min_samples"),
        ({"models": {"isolation_forest": {"contamination": 0.9}}}, "less than or equal to 0.5"),
        ({"alerts": {"sms": {}}}, r"alerts\.sms is no setting"),
        ({"alerts": {"webhook": {"url": "example.com/x"}}}, r"alerts\.webhook\.url: write an addr"),
        ([], "config: Input should be a valid dictionary"),
    ],
)
def test_what_can_have_no_effect_is_refused(said: Any, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        checked(said, "config")


def test_a_wrong_parameter_is_found_when_it_is_used(system: AnomalyDetectionSystem) -> None:
    system.config["models"]["isolation_forest"]["contamination"] = 2
    for call in (
        lambda: system.detect_anomalies(USUAL),
        lambda: system.train_isolation_forest([USUAL]),
        system.save_config,
    ):
        with pytest.raises(ConfigError, match=r"models\.isolation_forest\.contamination"):
            call()


def test_contamination_moves_the_confidence_at_once(system: AnomalyDetectionSystem) -> None:
    system.config["models"]["isolation_forest"]["contamination"] = 0.001
    rare = system.detect_anomalies(USUAL)["confidence"]
    system.config["models"]["isolation_forest"]["contamination"] = 0.5
    assert system.detect_anomalies(USUAL)["confidence"] > 10 * rare


def test_a_crowd_that_is_none_gets_a_sentence() -> None:
    system = AnomalyDetectionSystem()
    system.config["models"]["dbscan"]["eps"] = 1e-5
    with pytest.raises(StateError, match="a larger eps or fewer min_samples make a crowd"):
        system.train_dbscan_model(system.generate_training_data(800)[2::4], "system")


@pytest.mark.parametrize(
    ("sample", "kind", "why"),
    [
        (USUAL, "network", "no model was trained on samples of kind 'network'"),
        (USUAL, "nonsense", "there is no extractor 'nonsense'; there are network, user"),
        (USUAL, "../etc", "is no name of a kind"),
        ({"x": 1}, None, "of which kind is this sample"),
    ],
)
def test_what_cannot_be_judged_gets_a_sentence(sample: Any, kind: Any, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        AnomalyDetectionSystem().detect_anomalies(sample, kind)


def test_too_few_samples_get_a_sentence() -> None:
    system = AnomalyDetectionSystem()
    with pytest.raises(ConfigError, match="50 samples of kind 'network' are too few"):
        system.train_isolation_forest(system.generate_training_data(200))
    for nothing in ([], {"a": 1}, None):
        with pytest.raises(ConfigError, match=r"no samples|samples are wanted"):
            system.train_isolation_forest(nothing)


# Samples


def test_kinds_are_told_by_their_keys() -> None:
    made = AnomalyDetectionSystem().generate_training_data(8)
    assert [kind_of({k: v for k, v in one.items() if k != "data_type"}) for one in made] == [
        *("network", "user", "system", "authentication") * 2
    ]
    assert made == AnomalyDetectionSystem().generate_training_data(8)


def test_bad_values_are_no_error() -> None:
    for extract in BUILT_IN.values():
        for value in (None, "nonsense", float("inf"), [], -5, "2024-99-99"):
            found = extract(
                dict.fromkeys(
                    ("packet_size", "src_port", "duration", "login_time", "cpu_usage"), value
                )
            )
            assert all(isinstance(number, float) for number in found.values())
            assert not np.isinf(list(found.values())).any()


@pytest.mark.parametrize("value", [float("nan"), pd.NA, pd.NaT, None])
def test_a_word_that_a_table_has_not_is_missing(value: Any) -> None:
    for kind, name in (("network", "protocol"), ("user", "location"), ("authentication", "device")):
        assert np.isnan(BUILT_IN[kind]({name: value})[name]), kind


@pytest.mark.parametrize(
    "value", [10**400, 10**5000, "\ud800", np.array([1, 2])], ids=lambda v: type(v).__name__
)
def test_odd_values_are_no_error(value: Any) -> None:
    for name, extract in BUILT_IN.items():
        names = ("packet_size", "protocol", "login_time", "privilege_level", "cpu_usage", "device")
        found = extract(dict.fromkeys(names, value))
        assert not np.isinf(list(found.values())).any(), name


def test_rows_hold_nothing_that_is_no_number() -> None:
    found = features(np.asarray, [1, "a", 10**400, float("inf"), None, np.float32(2.5)])
    assert list(found) == [f"feature_{i}" for i in range(6)]
    np.testing.assert_array_equal(list(found.values()), [1, *[np.nan] * 4, 2.5])


@pytest.mark.parametrize(
    ("samples", "why"),
    [
        ([ODD, [1, 2, 3, 4, 5]], "some samples are dictionaries and some are not"),
        ([[1, 2, 3, 4, 5], ODD], "some samples are dictionaries and some are not"),
        ([["a", 1, 2, 3, 4]], "were trained on packet_size, .* gives feature_0"),
        (["abc"], "str is no sample; write a dictionary or a row of numbers"),
        ([None], "NoneType is no sample"),
    ],
)
def test_what_is_no_sample_gets_a_sentence(
    system: AnomalyDetectionSystem, samples: Any, why: str
) -> None:
    with pytest.raises(ConfigError, match=why):
        system.detect_anomalies_batch(samples, "network")


def test_an_extractor_of_ones_own(system: AnomalyDetectionSystem) -> None:
    system.feature_extractors["custom_network"] = lambda data: np.array(
        [data.get("packet_size", 0), data.get("dst_port", 0)]
    )
    with pytest.raises(ConfigError, match="no model was trained"):
        system.detect_anomalies(USUAL, "custom_network")
    flows = system.generate_training_data(1200)[::4]
    system.train_dbscan_model(flows, "custom_network")
    huge = system.detect_anomalies({"packet_size": 9e6, "dst_port": 1}, "custom_network")
    assert huge["confidence"] > system.detect_anomalies(flows[0], "custom_network")["confidence"]
    assert huge["blame"][0] == "feature_0"
    system.feature_extractors["network"] = lambda data: [1.0, 2.0]
    with pytest.raises(ConfigError, match=r"were trained on packet_size, .* train them again"):
        system.detect_anomalies(USUAL, "network")


def test_tables_and_arrays_are_samples_too() -> None:
    system = AnomalyDetectionSystem()
    rows = np.random.default_rng(1).normal(size=(200, 4))
    names = ["cpu_usage", "memory_usage", "disk_io", "network_io"]
    system.train_isolation_forest(pl.DataFrame(rows, schema=names))
    of_table = system.detect_anomalies(dict(zip(names, [9.0] * 4, strict=True)))
    panda = system.detect_anomalies_batch(pd.DataFrame(np.full((1, 4), 9.0), columns=names))
    assert panda[0]["confidence"] == of_table["confidence"]
    system.feature_extractors["rows"] = np.asarray
    system.train_isolation_forest(rows, "rows")
    (of_array,) = system.detect_anomalies_batch(np.full((1, 4), 9.0), "rows")
    assert of_table["is_anomaly"] == of_array["is_anomaly"]
    assert of_table["confidence"] == pytest.approx(of_array["confidence"])


def test_a_row_of_a_table_is_a_sample(system: AnomalyDetectionSystem) -> None:
    wanted = system.detect_anomalies(ODD, "network")["models"]["dbscan"]
    for _, row in pd.DataFrame([ODD, USUAL]).head(1).iterrows():
        one = system.detect_anomalies(row, "network")
        two = system.detect_anomalies(row)
        (three,) = system.detect_anomalies_batch([row], "network")
        assert [said["models"]["dbscan"] for said in (one, two, three)] == [wanted] * 3


@pytest.mark.parametrize("kind", [None, "network"])
@pytest.mark.parametrize("samples", [[ODD, USUAL], pd.DataFrame([ODD, USUAL])])
def test_several_samples_are_for_another_call(
    system: AnomalyDetectionSystem, samples: Any, kind: str | None
) -> None:
    with pytest.raises(ConfigError, match="several samples; hand them to detect_anomalies_batch"):
        system.detect_anomalies(samples, kind)


def test_a_report_is_no_pdf_by_its_name(system: AnomalyDetectionSystem, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"a report is a page of HTML; name it .*report\.html"):
        system.generate_report(tmp_path / "report.pdf")
    assert not (tmp_path / "report.pdf").exists()


# What is kept


def test_a_report_that_a_person_can_read(system: AnomalyDetectionSystem, tmp_path: Path) -> None:
    system.config["max_historical_records"] = 3
    results = system.detect_anomalies_batch([USUAL, ODD, ODD, ODD, USUAL])
    system.report_false_positive(results[1])
    said = system.generate_report()
    assert "Samples judged       5" in said
    assert "Anomalies            3 (60.00%)" in said
    assert "False positives      1 (as reported)" in said
    assert "lstm (network): 300 samples" in said
    assert said.count("network        high") == 2, "of three that are kept, two are anomalies"
    assert system.generate_report(tmp_path / "report.html") == said
    page = (tmp_path / "report.html").read_text()
    assert "3 (60.00%)" in page and "By severity" in page and "<h2>When" in page
    with pytest.raises(ConfigError, match="cannot be written"):
        system.generate_report(tmp_path / "no" / "report.html")
    system.clear_historical_data()
    assert "network        high" not in system.generate_report()
    assert system.stats["total_samples"] == 5


def test_the_log_has_the_lines_that_are_described(
    system: AnomalyDetectionSystem, tmp_path: Path
) -> None:
    system.detect_anomalies(ODD)
    lines = (tmp_path / "anomaly_detection.log").read_text().splitlines()
    stamp = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d - "
    for line, wanted in (
        (lines[0], "AnomalyDetection - INFO - System initialized"),
        (lines[-1], "AnomalyDetection - WARNING - ANOMALY DETECTED: network, confidence "),
    ):
        assert re.match(stamp + wanted, line), line
    assert lines[-1].endswith("severity HIGH")


def test_sixteen_threads_at_once(system: AnomalyDetectionSystem) -> None:
    """None fails, nothing is lost of what is counted, and training goes on meanwhile."""
    flows = system.generate_training_data(1200)[::4]
    ready = threading.Barrier(16)

    def work(n: int) -> int:
        ready.wait(PATIENCE)
        found = 0
        for i in range(20):
            if n == 0:
                if i % 10 == 0:
                    system.train_dbscan_model(flows)
            elif n == 1:
                system.generate_report()
                system.clear_historical_data()
            elif n == 2:
                system.config["models"]["isolation_forest"]["contamination"] = 0.05 + i / 100
            else:
                found += len(system.detect_anomalies_batch([flows[i], ODD]))
                found += len([system.detect_anomalies(flows[n])])
        return found

    with ThreadPoolExecutor(16) as pool:
        counts = list(pool.map(work, range(16)))
    assert sum(counts) == system.stats["total_samples"] == 13 * 20 * 3
    assert system.stats["anomalies_detected"] >= 13 * 20


# Monitoring and alerts


@pytest.fixture
def asked() -> "Queue[int]":
    return Queue()


@pytest.fixture
def monitor(system: AnomalyDetectionSystem, asked: "Queue[int]") -> Iterator[RealTimeMonitor]:
    looks = iter(range(10**9))

    def source() -> Any:
        n = next(looks)
        asked.put(n)
        if n == 1:
            raise KeyError("nothing")
        return [None, None, USUAL, [USUAL, ODD]][n] if n < 4 else None

    made = RealTimeMonitor(system, source)
    made.set_monitoring_interval(0.001)
    yield made
    made.stop_monitoring()


def test_a_monitor_looks_until_it_is_stopped(
    system: AnomalyDetectionSystem, monitor: RealTimeMonitor, asked: "Queue[int]", tmp_path: Path
) -> None:
    monitor.start_monitoring()
    monitor.start_monitoring()
    while asked.get(timeout=PATIENCE) < 6:
        pass
    assert monitor.running
    monitor.stop_monitoring()
    monitor.stop_monitoring()
    assert not monitor.running
    assert system.stats["total_samples"] == 3
    said = (tmp_path / "anomaly_detection.log").read_text()
    assert "RealTimeMonitor - INFO - Normal traffic detected" in said
    assert "RealTimeMonitor - ERROR - the source failed: KeyError: 'nothing'" in said
    assert "RealTimeMonitor - INFO - Monitoring stopped" in said
    while not asked.empty():
        asked.get()
    del system.config["monitoring"]
    monitor.set_monitoring_interval(0.001)
    monitor.start_monitoring()
    assert asked.get(timeout=PATIENCE) > 6


def test_a_new_interval_is_used_at_once(monitor: RealTimeMonitor, asked: "Queue[int]") -> None:
    monitor.set_monitoring_interval(3600)
    monitor.start_monitoring()
    assert asked.get(timeout=PATIENCE) == 0
    monitor.set_monitoring_interval(0.001)
    while asked.get(timeout=PATIENCE) < 5:
        pass
    for wrong in (0, -1, float("nan"), 1e9):
        with pytest.raises(ConfigError, match="is no interval"):
            monitor.set_monitoring_interval(wrong)


def test_a_look_that_outlasts_its_stop_is_the_last_of_its_thread(
    system: AnomalyDetectionSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitoring, "LONGEST", 0.0)
    looking, go_on = Queue[threading.Thread](), threading.Event()

    def source() -> None:
        looking.put(threading.current_thread())
        go_on.wait(PATIENCE)

    monitor = RealTimeMonitor(system, source)
    monitor.set_monitoring_interval(0.001)
    monitor.start_monitoring()
    first = looking.get(timeout=PATIENCE)
    monitor.stop_monitoring()
    monitor.start_monitoring()
    second = looking.get(timeout=PATIENCE)
    monkeypatch.setattr(monitoring, "LONGEST", PATIENCE)
    go_on.set()
    try:
        first.join(PATIENCE)
        assert not first.is_alive()
        assert second.is_alive()
    finally:
        monitor.stop_monitoring()
    assert not second.is_alive()


def test_without_a_source_this_machine_is_watched(system: AnomalyDetectionSystem) -> None:
    watched = RealTimeMonitor(system).source
    assert watched() is None, "a rate needs two looks"
    sample = watched()
    assert {"cpu_usage", "memory_usage", "disk_io", "network_io"} < sample.keys()
    assert "confidence" in system.detect_anomalies(sample)


def test_alerts_go_to_mail_and_webhook(
    system: AnomalyDetectionSystem, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with MailServer() as mail, Receiver() as hook:
        monkeypatch.setenv("HOOK", hook.url)
        system.config["alerts"]["email"] |= {
            "enabled": True,
            "smtp_server": "127.0.0.1",
            "smtp_port": mail.port,
            "tls": False,
            "password": "",
            "recipients": ["ann@example.com", "joe@example.com"],
        }
        system.config["alerts"]["webhook"] |= {"enabled": True, "url": "env:HOOK"}
        system.detect_anomalies_batch([USUAL, ODD])
        system.flush()
        posted, *more = hook.all()
        letters = [mail.next(), mail.next()]
    assert not more
    assert posted.json["incident"]["severity"] == "high"
    assert "network sample with confidence" in posted.json["title"]
    assert {letter["to"] for letter in letters} == {"ann@example.com", "joe@example.com"}
    assert all('"packet_size":65535' in letter.get_content() for letter in letters)
    system.config["alerts"]["webhook"]["url"] = "env:NOT_SET_ANYWHERE"
    system.config["alerts"]["email"]["enabled"] = False
    system.detect_anomalies(ODD)
    system.flush()
    log = (tmp_path / "anomaly_detection.log").read_text()
    assert "ERROR - webhook alert was not sent: no secret" in log


RESULT = {
    "severity": "high",
    "timestamp": "2026-03-07T14:02:10+00:00",
    "id": "a1",
    "data_type": "network",
    "confidence": 0.97,
    "blame": ["dst_port"],
    "score": 9.0,
    "p": 0.0001,
}


def told(**said: Any) -> Alerts:
    return Alerts.model_validate(said)


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ",
        "https://discord.com/api/webhooks/4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js",
    ],
)
def test_a_chat_is_told_in_its_own_form(url: str) -> None:
    made = alerts.sinks(told(webhook={"enabled": True, "url": url}), World())["webhook"]()
    assert isinstance(made, Apprise)
    assert apprise.Apprise.instantiate(url) is not None


def test_an_alert_that_cannot_be_made_keeps_no_other_from_being_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AMISS_MAIL_PASSWORD", raising=False)
    log = tmp_path / "log"
    sender = Sender(Journal(log), World())
    with Receiver() as hook:
        config = told(email={"enabled": True}, webhook={"enabled": True, "url": hook.url})
        sender.send(RESULT, ODD, config)
        sender.flush()
        assert len(hook.all()) == 1
    assert "ERROR - email alert was not sent: no secret" in log.read_text()


def test_a_fault_of_a_sink_does_not_end_the_alerts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(**_: Any) -> None:
        raise RuntimeError("the key is 1234")

    log = tmp_path / "log"
    sender = Sender(Journal(log), World())
    with Receiver() as hook, monkeypatch.context() as patch:
        patch.setattr(alerts, "Webhook", broken)
        config = told(webhook={"enabled": True, "url": hook.url})
        sender.send(RESULT, ODD, config)
        sender.flush()
        patch.undo()
        sender.send(RESULT, ODD, config)
        sender.flush()
        assert len(hook.all()) == 1
    assert log.read_text().endswith("ERROR - webhook alert was not sent: RuntimeError\n")


SCRIPT = f"""
import sys
from pathlib import Path
from amiss.facade.alerts import Sender
from amiss.facade.config import Alerts
from amiss.facade.journal import Journal
from amiss.world import World
config = Alerts.model_validate(
    {{"webhook": {{"enabled": True, "url": sys.argv[1]}},
     "email": {{"enabled": True, "smtp_server": "127.0.0.1", "smtp_port": int(sys.argv[2]),
               "tls": False, "password": ""}}}}
)
Sender(Journal(Path(sys.argv[3])), World()).send({RESULT!r}, {ODD!r}, config)
"""


def test_a_script_that_ends_has_sent_its_alerts(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with MailServer() as mail, Receiver() as hook:
        command = [sys.executable, "-c", SCRIPT, hook.url, str(mail.port), str(log)]
        subprocess.run(command, check=True)
        assert len(hook.all()) == 1, log.read_text()
        assert "dst_port" in mail.next().get_content()
    assert not log.exists()


def test_what_a_program_that_ends_could_not_send_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()
    monkeypatch.setattr(alerts, "LAST", 0.0)
    monkeypatch.setattr(alerts, "Webhook", lambda **_: go_on.wait(PATIENCE))
    sender = Sender(Journal(tmp_path / "log"), World())
    try:
        for _ in range(2):
            config = told(webhook={"enabled": True, "url": "http://127.0.0.1:9"})
            sender.send(RESULT, ODD, config)
        sender.end()
        said = (tmp_path / "log").read_text()
        assert "ERROR - alerts that were not sent as the program ended: 2" in said
    finally:
        go_on.set()
        sender.flush()


@pytest.mark.parametrize(
    ("sample", "wanted"),
    [
        ({"a": 10**30}, str(10**30)),
        ({1: 2}, '{"1":2}'),
        ({(1, 2): 3}, "{(1, 2): 3}"),
        ({"a": "\ud800"}, "ud800"),
    ],
    ids=["big", "key", "tuple", "surrogate"],
)
def test_every_sample_can_be_told(sample: Any, wanted: str) -> None:
    (evidence,) = incident(RESULT, sample).evidence
    assert wanted in evidence
    assert evidence.encode()
