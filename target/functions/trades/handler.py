"""Lambda entry of the trades function, which is also the gateway's $default."""

from target.functions.http_handler import http_handler

handler = http_handler("trades", ("root", "trades"))
