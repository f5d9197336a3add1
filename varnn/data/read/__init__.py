"""A person's own file.

`table` turns a file into a frame: `files` opens it (text, gzip, Excel, Parquet), `numbers` reads its numbers, `dates`
and `spellings` its dates; `parse` reads published files by their notes.
"""
