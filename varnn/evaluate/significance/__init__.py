"""Is a difference luck.

`pairwise` (Diebold–Mariano, Clark–West, Giacomini–White), `model_confidence_set`, `fluctuation`, `ranks` (over many
data sets) and `skill` (gains with intervals), over `long_run_variance` and `block_bootstrap`.
"""
