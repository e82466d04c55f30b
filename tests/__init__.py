"""The tests of nblabel."""
