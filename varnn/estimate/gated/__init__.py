"""GRU and LSTM beside a linear part: `recursion` (states, exact Jacobian by torch), `gauss_newton` (the fit)."""
