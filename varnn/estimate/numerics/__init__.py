"""What several estimators share.

`covariance` (symmetric inverses), `companion`, the optimisers `quasi_newton` and `lbfgs`, `stop` (why one ended),
`compiling` and `threads` (compiled code, one thread a fit).
"""
