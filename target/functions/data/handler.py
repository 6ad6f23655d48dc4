"""Lambda entry of the data function."""

from target.functions.http_handler import http_handler

handler = http_handler("data", ("data", "universes"))
