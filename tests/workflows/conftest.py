"""What tests of the workflows share."""

import warnings

with warnings.catch_warnings():
    # Luigi announces at its first import that a feature nobody here uses will go.
    warnings.simplefilter("ignore", DeprecationWarning)
    import luigi  # noqa: F401
