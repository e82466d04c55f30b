"""One file for each module of src/nblabel."""
