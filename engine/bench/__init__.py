"""How fast the program is beside the plain way: for `detrdesk bench` and `make bench`."""
