"""The library's verb, above models and report.

`compare` fits, scores and tests every rung; `null_bootstrap` gives p-values from comparisons on series drawn from the
VAR.
"""
