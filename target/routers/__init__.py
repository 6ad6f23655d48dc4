"""One router a URL prefix."""
