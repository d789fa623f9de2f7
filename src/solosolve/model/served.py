"""Former name of `mlflow_flavor`, which versions registered by earlier releases name as their loader."""

from solosolve.model.mlflow_flavor import _load_pyfunc

__all__ = ["_load_pyfunc"]
