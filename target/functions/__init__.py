"""Lambda entries, one package a function. Importing it begins an INIT, which each handler ends."""

from target.collection import pause_collection

pause_collection()
