"""The tanh RNN: one recursion, its derivatives, its evidence, and the search for its structure.

Read `structure` (what may vary), `design` (the recursion over data, by `kernels`, `jacobian`, `memoryless`),
`gauss_newton` (the loop), `evidence` (precisions and model choice), `starts`, `search` (lags, width, memory chosen);
then what a fit does: `mixture`, `posterior`, `paths`, `extrapolation` (far from the data).
"""
