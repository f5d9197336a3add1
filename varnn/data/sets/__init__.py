"""The data sets, one file each: .py loads what a package bundles, .toml names an address with a checksum."""
