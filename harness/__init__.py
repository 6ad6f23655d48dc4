"""The judge: stands a migration's target next to its legacy system and decides from evidence."""
