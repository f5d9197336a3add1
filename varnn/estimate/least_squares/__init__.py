"""The VAR by least squares: estimates, orders, small-sample bias, posterior draws, paths.

Read `gram` (sums of products), `regression` (coefficients, covariance, standard errors), `order` (lags by criteria),
`regressors` (rows to forecast from), `posterior` (draws), `small_sample` (bias, spread), `paths`; `rolling` and its
`kernels` refit at many origins; `statsmodels` is the reference beside all of it.
"""
