"""What the package computed before a change, to hold the code after it to.

`cases` lists what is computed; `python -m tests.golden FILE` writes a digest of every bit of it, to be compared before
and after a change on one machine; `test_golden` holds any machine to the committed numbers.
"""
