"""The environment of a cluster: two systems on one machine share nothing by which they could be mistaken."""

import os
import socket
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest
from uvicorn.middleware.proxy_headers import _TrustedHosts

from deployments.ray_environment import proxy_names_client, ray_environment
from settings import load_settings


def environment(data_dir: Path) -> dict[str, str]:
    data_dir.mkdir(exist_ok=True)
    return ray_environment(load_settings({"DATA_DIR": str(data_dir)}))


def test_the_token_is_made_once_and_is_for_its_owner_only(tmp_path: Path) -> None:
    token = Path(environment(tmp_path)["RAY_AUTH_TOKEN_PATH"])
    first = token.read_text()
    assert len(first) >= 32
    assert token.stat().st_mode & 0o777 == 0o600
    environment(tmp_path)
    assert token.read_text() == first


def test_two_systems_have_no_port_and_no_socket_in_common(tmp_path: Path) -> None:
    one = environment(tmp_path / "one")
    with socket.socket() as running:
        running.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        running.bind(("127.0.0.1", int(one["RAY_SERVE_HAPROXY_STATS_PORT"])))
        running.listen()
        other = environment(tmp_path / "other")
    differing = [name for name in one if name.endswith(("_PORT", "_PATH", "_LOC", "_FILE", "_BASE"))]
    assert len(differing) >= 12
    assert [name for name in differing if one[name] == other[name]] == []


def test_ports_that_somebody_holds_are_passed_over(tmp_path: Path) -> None:
    first = int(environment(tmp_path)["RAY_SERVE_DIRECT_INGRESS_MIN_HTTP_PORT"])
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        taken.bind(("127.0.0.1", first))
        taken.listen()
        assert int(environment(tmp_path)["RAY_SERVE_DIRECT_INGRESS_MIN_HTTP_PORT"]) != first


CHOOSING = """
import sys
from deployments.ray_environment import ray_environment
from settings import load_settings
print(ray_environment(load_settings({"DATA_DIR": sys.argv[1]}))["RAY_SERVE_HAPROXY_STATS_PORT"], flush=True)
sys.stdin.read()
"""


def test_ports_that_another_start_has_chosen_and_not_bound_yet_are_passed_over(tmp_path: Path) -> None:
    command = [sys.executable, "-c", CHOOSING, str(tmp_path)]  # one DATA_DIR: both look at the same ports first
    rivals = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    chosen = [rival.stdout.readline() for rival in rivals if rival.stdout]
    for rival in rivals:
        rival.communicate()
    assert len(set(chosen)) == 2
    assert subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True).stdout in chosen


def test_no_port_is_taken_that_the_api_or_the_dashboard_will_bind(tmp_path: Path) -> None:
    first = int(environment(tmp_path)["RAY_SERVE_HAPROXY_STATS_PORT"])
    for name in ("API_PORT", "RAY_DASHBOARD_PORT"):
        settings = load_settings({"DATA_DIR": str(tmp_path), name: str(first)})
        ours = {value for key, value in ray_environment(settings).items() if key.endswith("_PORT")}
        assert str(first) not in ours
        assert len(ours) == 8


def test_a_sockets_path_is_short_enough_however_long_data_dir_is(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 120)
    assert len(environment(deep)["RAY_SERVE_HAPROXY_SOCKET_PATH"]) < 100


def test_the_proxy_is_told_to_name_its_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray's template must go on copying what it is given: there is no other way to say this."""
    assert not proxy_names_client()
    monkeypatch.setenv("RAY_SERVE_HAPROXY_RETRY_ON", environment(tmp_path)["RAY_SERVE_HAPROXY_RETRY_ON"])
    assert proxy_names_client()
    template = Path(str(files("ray.serve").joinpath("_private/haproxy_templates.py"))).read_text()
    defaults = template[template.index("\ndefaults\n") : template.index("\nfrontend ")]
    rendered = defaults.replace("{{ config.retry_on }}", os.environ["RAY_SERVE_HAPROXY_RETRY_ON"])
    assert "\n    option forwardfor\n" in rendered


def test_nobody_hears_the_proxys_log_lines_which_may_hold_a_key(tmp_path: Path) -> None:
    assert not Path(environment(tmp_path)["RAY_SERVE_HAPROXY_LOG_TARGET"]).exists()


def test_serves_own_server_believes_no_header_about_the_client(tmp_path: Path) -> None:
    believed = _TrustedHosts(environment(tmp_path)["FORWARDED_ALLOW_IPS"])
    assert not [host for host in ("127.0.0.1", "::1", "", "testclient") if host in believed]
