"""Data sets of many sequences: names, utterances, texts, and tasks that are drawn at random.

`load_sequences("names_en")` reads a file described by a .toml file here, from VARNN_DATA, the cache or its address;
`load_sequences("xor", length=10)` draws one.
"""

from __future__ import annotations

from varnn.data.sequences._read import SequenceSet, about_sequences, load_sequences, sequence_names

__all__ = ["SequenceSet", "about_sequences", "load_sequences", "sequence_names"]
