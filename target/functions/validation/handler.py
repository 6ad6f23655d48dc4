"""Lambda entry of the validation function."""

from target.functions.http_handler import http_handler

handler = http_handler("validation", ("validation",))
