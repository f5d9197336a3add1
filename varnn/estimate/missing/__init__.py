"""Observations with gaps: `state_space` holds the Kalman likelihood and smoother of a linear recursion."""
