"""Lambda entry of the scanner function."""

from target.functions.http_handler import http_handler

handler = http_handler("scanner", ("scanner",))
