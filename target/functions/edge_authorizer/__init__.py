"""The function that lets in what came through the edge."""
