"""What is replayed against both sides: sessions, waivers and load profiles of this migration."""
