"""The `metamerlib` command."""

try:
    from metamerbook.cli.main import app, main
except ModuleNotFoundError as error:
    if error.name != "typer":
        raise

    def main() -> None:
        """Say what a bare installation lacks: the library alone has no command."""
        raise SystemExit("The command needs the packages of the book: pip install 'metamerlib[book]'.") from None


__all__ = ["app", "main"]
