"""A person's own file: `table` (the file to a frame), `parse` (published files by their notes), `dates` (its dates)."""
