"""What two databases declare, compared."""
