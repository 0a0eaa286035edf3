"""One suite of cases for every deployed shim, whatever language it is written in."""
