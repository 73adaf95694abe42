"""The chart of Kubernetes: by itself, and as helm renders it where there is helm."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from amiss import config

CHART = Path(__file__).parents[2] / "deploy" / "helm" / "amiss"
HELM = shutil.which("helm")
CLUSTER = ("--kube-version", "1.31.0")
needs_helm = pytest.mark.skipif(not HELM, reason="there is no helm here")


def values() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text())
    return found


def paths(tree: dict[str, Any], schema: bool) -> set[str]:
    """What can be set, as a.b; below a mapping that says nothing of its members, a alone."""
    found = set[str]()
    for name, below in tree.items():
        deeper = below.get("properties") if schema else below
        if isinstance(deeper, dict) and deeper and name != "resources":
            found |= {f"{name}.{rest}" for rest in paths(deeper, schema)}
        else:
            found.add(name)
    return found


def test_every_value_is_described_and_used() -> None:
    described = json.loads((CHART / "values.schema.json").read_text())["properties"]
    said = paths(values(), schema=False)
    assert paths(described, schema=True) - {"global"} == said
    text = "".join(file.read_text() for file in sorted((CHART / "templates").iterdir()))
    used = set(re.findall(r"\.Values\.([A-Za-z]+(?:\.[A-Za-z]+)?)", text))
    assert used == said


@needs_helm
@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"ingress": {"enabled": True, "tlsSecret": "tls"}, "hosts": ["a.example.org"]},
        {"token": {"existingSecret": "mine"}, "serviceMonitor": {"enabled": True}},
        {"env": [{"name": "A", "value": "b"}], "nodeSelector": {"kind": "big"}},
    ],
)
def test_what_helm_makes_of_it(tmp_path: Path, asked: dict[str, Any]) -> None:
    file = tmp_path / "values.yaml"
    file.write_text(json.dumps(asked))
    for command in (["lint", "--strict"], ["template", "watch"]):
        said = subprocess.run(
            [str(HELM), *command, str(CHART), *CLUSTER, "--values", str(file)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert said.returncode == 0, said.stdout + said.stderr
    made = {one["kind"]: one for one in yaml.safe_load_all(said.stdout) if one}
    wanted = {"ConfigMap", "Service", "StatefulSet"}
    wanted |= {"Ingress"} if "ingress" in asked else set()
    wanted |= {"ServiceMonitor"} if "serviceMonitor" in asked else set()
    wanted |= set() if "token" in asked else {"Secret"}
    assert set(made) == wanted
    pod = made["StatefulSet"]["spec"]["template"]["spec"]
    for container in (*pod["initContainers"], *pod["containers"]):
        assert container["securityContext"]["readOnlyRootFilesystem"]
        assert container["image"] == "amiss:0.1.0"
        mounted = {mount["name"] for mount in container["volumeMounts"]}
        assert mounted <= {"data", *(volume["name"] for volume in pod["volumes"])}
    written = tmp_path / "amiss.yaml"
    written.write_text(made["ConfigMap"]["data"]["amiss.yaml"])
    settings = config.read(written)
    assert settings.listen == "0.0.0.0:8600"
    assert set(asked.get("hosts", [])) < set(settings.hosts)


@needs_helm
def test_a_mistake_in_the_values_is_refused() -> None:
    asked = [*CLUSTER, "--set", "persistence.sise=1Gi"]
    command = [str(HELM), "template", "watch", str(CHART), *asked]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    assert said.returncode == 1
    assert "sise" in said.stderr
