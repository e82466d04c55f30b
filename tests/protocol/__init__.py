"""The protocol, held against messages that both sides read."""
