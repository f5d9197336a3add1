"""The linear RNN h_t = B x_t + A h_{t-1}: its exact likelihood, and its shrinkage to the VAR.

Read `units`, `likelihood` (exact and conditional, over `kernels`), `starts`, `maximum_likelihood` (descents),
`shrinkage` (precisions by the evidence), `lag_choice`; `kalman` runs a fitted recursion: states, errors, draws.
"""
