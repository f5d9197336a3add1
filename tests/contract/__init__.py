"""What every model must keep, whoever wrote it: found by `varnn.models.catalogue()`, one suite for all."""
