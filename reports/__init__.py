"""Renders a run directory as HTML, Markdown, JUnit, JSON and SARIF."""
