"""The function that serves strategies and the dashboard of what they came to."""
