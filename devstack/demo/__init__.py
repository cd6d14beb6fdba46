"""The guided tour behind `make demo`: the real programs on real servers, checked at the end."""
