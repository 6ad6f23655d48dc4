"""Lambda entry of the strategies function."""

from target.functions.http_handler import http_handler

handler = http_handler("strategies", ("strategies", "dashboard"))
