"""How Lambda names log groups and streams, and the files that stand for streams here."""

from pathlib import Path


def log_group_of(function_name: str) -> str:
    """Lambda's log group of a function."""
    return f"/aws/lambda/{function_name}"


def log_file_name(stream: str) -> str:
    """The file of a log stream, whose name has what no file name may."""
    return stream.replace("/", "-").replace("[$LATEST]", "") + ".log"


def stream_of(path: Path) -> str:
    """The log stream of a file, as Lambda names it: `2026/01/31/[$LATEST]0123…`."""
    year, month, day, identifier = path.stem.split("-", maxsplit=3)
    return f"{year}/{month}/{day}/[$LATEST]{identifier}"
