"""The reference monolith: answers as the legacy application does, quirks included.

A program of its own: it imports nothing of this project outside its package, and runs in its own environment.
"""
