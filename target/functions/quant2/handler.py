"""Lambda entry of the quant2 function."""

from target.functions.http_handler import http_handler

handler = http_handler("quant2", ("quant2",))
