"""How weights are found: closed forms, likelihoods, compiled recursions with gradients, evidence."""
