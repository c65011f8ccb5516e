"""`python -m cli`: the commands and their options."""

from pathlib import Path
from typing import BinaryIO

import click

PROJECT = Path(__file__).resolve().parent.parent


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Audit security groups from a terminal."""


@main.command()
@click.option(
    "--event",
    type=click.File("rb"),
    help="The event to hand over, a JSON file (- reads standard input); an empty one by default.",
)
@click.option("--stack", default="dev", show_default=True, help="Whose settings and policy to use.")
@click.option(
    "--live", is_flag=True, help="Use your own AWS credentials and send real mail, not the sandbox."
)
def invoke(event: BinaryIO | None, stack: str, *, live: bool) -> None:
    """Run the handler once on this machine, as Lambda would run the zip of a stack."""
    from cli.invoke import invoke as run  # noqa: PLC0415 -- moto and Pulumi take a second to load

    run(PROJECT, stack, event.read() if event else b"{}", live=live)


@main.command()
@click.option("--stack", default="dev", show_default=True, help="Which stack to deploy.")
def demo(stack: str) -> None:
    """Deploy a stack into the sandbox, let its schedule fire, and show the mail."""
    from cli.demo import demo as run  # noqa: PLC0415 -- as above

    run(PROJECT, stack)


if __name__ == "__main__":
    main(prog_name="python -m cli")
