"""The one place where adapters, staging, legacy and reports meet the engine: one file per command."""
