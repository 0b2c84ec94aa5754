"""hsi: brings a system up and down, says how it is, examines the machine, and runs the demo."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from settings import Settings, SettingsError, load_settings
from storage.errors import StoreError
from storage.system_lock import SystemRecord, read_system

if TYPE_CHECKING:
    from launch.demo import Demo

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)


def _settings() -> Settings:
    try:
        return load_settings()
    except SettingsError as error:
        raise _failure(str(error)) from None


def _running(settings: Settings) -> SystemRecord | None:
    try:
        return read_system(settings.data_dir)
    except StoreError as error:
        raise _failure(str(error)) from None


def _failure(message: str) -> typer.Exit:
    typer.echo(f"hsi: {message}", err=True)
    return typer.Exit(1)


@app.command()
def up() -> None:
    """Start the system and stay in the foreground until SIGTERM or Ctrl-C."""
    _run(_settings(), None)


@app.command()
def demo(
    seed: Annotated[int, typer.Option(help="The same seed plays the same stories.")] = 0,
    interval: Annotated[float, typer.Option(help="Seconds between two uploads of a camera.")] = 4.0,
) -> None:
    """Start the system with three drawn cameras, a rule for people, and a receiver that prints each alert."""
    from launch.demo import Demo, demo_settings

    settings = _settings()
    if settings.camera_root is not None:
        raise _failure("CAMERA_ROOT is set: the demo draws its own cameras; unset it, or run `hsi up`")
    _run(demo_settings(settings), lambda: Demo(settings.data_dir, seed, interval, typer.echo))


def _run(settings: Settings, make_demo: "Callable[[], Demo] | None") -> None:
    running = _running(settings)
    if running is not None:
        where = running.api_url or "it is starting"
        typer.echo(f"the system of {settings.data_dir} is up already: {where} (process {running.pid})")
        return
    from launch.ground import StartFailed
    from launch.system import HomeSystem, SystemDied

    demo_room = make_demo() if make_demo else None
    if demo_room is not None:
        settings = demo_room.prepare(settings)
    system = HomeSystem(settings, typer.echo)
    try:
        system.start()
        typer.echo(f"\n  {system.url}        API: {system.url}/docs\n")
        if demo_room is not None:
            demo_room.play(system.settings)
        system.wait()
    except KeyboardInterrupt:
        typer.echo("")  # asked to end, by Ctrl-C, SIGTERM or hsi down
    except (StoreError, StartFailed, SystemDied, SettingsError, PermissionError) as error:
        raise _failure(str(error)) from None
    finally:
        if demo_room is not None:
            demo_room.stop()
        system.stop()


@app.command()
def key(
    name: Annotated[str, typer.Option(help="Whose key it is: stands in the audit trail.")] = "owner",
    remove: Annotated[bool, typer.Option("--remove", help="End this key and make no new one.")] = False,
) -> None:
    """Make a new API key and show it this once; an old one of this name, and what was signed in by it, ends."""
    from domain.api_keys import usable_name
    from launch.keys import remove_key, replace_key

    settings = _settings()
    try:
        if remove:
            if not remove_key(settings, _running(settings), usable_name(name)):
                raise _failure(f"there is no key {name}")
            return
        made = replace_key(settings, _running(settings), usable_name(name))
    except (StoreError, SettingsError, ValueError) as error:
        raise _failure(str(error)) from None
    typer.echo(made)
    if not settings.asks_for_keys:
        typer.echo("hsi: no key is asked for so far: set API_KEY_ENABLED=true and start again", err=True)


@app.command()
def down() -> None:
    """End the system of this DATA_DIR; no process of it is left."""
    from launch.down import bring_down

    settings = _settings()
    if not bring_down(settings.data_dir, typer.echo):
        typer.echo(f"no system of {settings.data_dir} is up")


@app.command()
def status() -> None:
    """Say whether the system is up and ready; exit code 0 when it is ready."""
    import httpx

    settings = _settings()
    running = _running(settings)
    if running is None:
        raise _failure(f"no system of {settings.data_dir} is up: start one with `hsi up`")
    typer.echo(f"{running.api_url}  process {running.pid}  {running.state}")
    try:
        answer = httpx.get(f"{running.api_url}/api/system/health/ready", timeout=5, trust_env=False)
        body = answer.json()
    except (httpx.HTTPError, json.JSONDecodeError) as error:
        raise _failure(f"the API does not answer: {error}") from None
    for name, service in body.get("services", {}).items():
        typer.echo(f"  {name:18} {service['status']:10} {service['message'] or ''}")
    for worker in body.get("workers", []):
        typer.echo(f"  {worker['name']:18} {'running' if worker['running'] else 'down':10} {worker['message'] or ''}")
    if answer.status_code != 200:
        raise typer.Exit(1)


@app.command()
def doctor() -> None:
    """Examine the machine: Python, disk, stores, ports, GPU, weights, language model; each fault with its mend."""
    from launch.doctor import examine

    findings = examine(_settings())
    for finding in findings:
        typer.echo(f"{'ok  ' if finding.good else 'BAD '} {finding.what:10} {finding.message}")
        if finding.mend:
            typer.echo(f"     {'':10} → {finding.mend}")
    if not all(finding.good for finding in findings):
        raise typer.Exit(1)


if __name__ == "__main__":
    app()
