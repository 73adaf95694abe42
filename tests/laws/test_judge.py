"""The laws of a detector hold for the judge as a whole: expect, detect, calibrate, fuse."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiss.component import Detector
from amiss.data import Floats, Frame, Scores, State
from amiss.detectors.classifier import Classifier
from amiss.detectors.dbscan import Dbscan
from amiss.detectors.drift import Drift
from amiss.detectors.ensemble import Ensemble
from amiss.detectors.isolation_forest import IsolationForest
from amiss.detectors.level import Level
from amiss.detectors.linear_regression import LinearRegression
from amiss.detectors.mahalanobis import Mahalanobis
from amiss.detectors.one_class_svm import OneClassSvm
from amiss.detectors.step import Step
from amiss.detectors.surprise import Surprise
from amiss.steps.judge import States, judge, judge_jointly, judge_whole, name_of
from laws.laws import LAWS, METRICS, Subject, fit, numbers, plain, systems
from made import KINDS, series

STACK = (Level(), Step(), Drift(), Surprise())


def flat(states: States) -> State:
    return {f"{name}|{column}": a for name, state in states.items() for column, a in state.items()}


def nested(state: State) -> States:
    states: States = {}
    for path, array in state.items():
        name, _, column = path.partition("|")
        states.setdefault(name, {})[column] = array
    return states


def nothing(series: int, features: tuple[str, ...] = ("value",)) -> Frame:
    """Not a single tick."""
    keys = tuple(str(s) for s in range(series))
    return Frame(np.zeros(0, np.int64), keys, features, np.zeros((0, series, len(features))))


def stack(*detectors: Detector) -> Subject:
    """Series by series, judged by these."""

    def step(state: State, frame: Frame) -> tuple[State, Scores]:
        states, opinion = judge(detectors, nested(state), frame)
        return flat(states), opinion.scores

    return Subject(
        name="+".join(detector.type for detector in detectors),
        init=lambda series: step({}, nothing(series))[0],
        step=step,
        frame=plain,
        state_bytes=2100,
    )


def jointly(detector: Detector) -> Subject:
    """Whole systems, judged by a fitted detector."""
    name = name_of(detector)

    def step(state: State, frame: Frame) -> tuple[State, Scores]:
        states, _, nats, _ = judge_jointly(detector, nested(state), frame)
        return flat(states), nats

    def init(series: int) -> State:
        own = detector.init(series, len(METRICS)) | fit(detector)
        return step(flat({name: own}), nothing(series, METRICS))[0]

    return Subject(
        name=f"jointly by {detector.type}",
        init=init,
        step=step,
        frame=systems,
        state_bytes=detector.state_bytes + 409,  # the larger of rank and size, and a count
        shared=frozenset(f"{name}|{column}" for column in detector.shared),
        tolerance=detector.tolerance,
    )


def whole(*views: Detector) -> Subject:
    """Whole systems, judged by all views at once; each metric's own score is its size."""

    def step(state: State, frame: Frame) -> tuple[State, Scores]:
        nats = np.log1p(np.abs(np.clip(np.nan_to_num(frame.values), -1e9, 1e9)))
        has = np.ones(frame.values.shape[1:], np.bool_)
        states, fused, *_ = judge_whole(views, nested(state), frame, nats, has)
        return flat(states), fused

    return Subject(
        name="+".join(name_of(view) for view in views),
        init=lambda series: step({}, nothing(series, METRICS))[0],
        step=step,
        frame=systems,
        state_bytes=sum(view.state_bytes for view in views) + 1500,
        shared=frozenset(f"{name_of(view)}|{column}" for view in views for column in view.shared),
        tolerance=1e-9,
    )


SUBJECTS = [
    stack(*STACK),
    stack(Step()),
    stack(Surprise()),
    jointly(IsolationForest()),
    jointly(LinearRegression()),
    jointly(OneClassSvm()),
    jointly(Dbscan()),
    jointly(Classifier(label="load1")),
    jointly(Ensemble(detectors=(IsolationForest(), LinearRegression()))),
    jointly(Mahalanobis()),
    jointly(Mahalanobis(seasonal=True)),
    whole(Mahalanobis(), Mahalanobis(seasonal=True)),
]


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.name)
def test_law(subject: Subject, law: str) -> None:
    @given(numbers(special=law == "extremes"), st.integers(0, 120))
    def holds(x: Floats, at: int) -> None:
        LAWS[law](subject, x, min(at, len(x)))

    holds()


@pytest.fixture(scope="module")
def fortnights() -> Floats:
    """Ten kinds of series over two weeks (T, 10, 1), with events and holes."""
    return np.column_stack([series(kind)[1] for kind in sorted(KINDS)])[:, :, None]


@pytest.mark.parametrize("law", ["split", "company", "order", "restart", "silence", "churn"])
def test_law_over_two_weeks(law: str, fortnights: Floats) -> None:
    """Days, profiles, envelopes and histograms come into play."""
    LAWS[law](stack(*STACK), fortnights, 2345)
