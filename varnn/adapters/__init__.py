"""Doors to other libraries, one file each; nothing inside varnn imports them."""
