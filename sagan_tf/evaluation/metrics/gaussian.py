"""Mean and covariance of features that others have published."""

import zipfile

import numpy as np

from sagan_tf.files import one_line


class Gaussian:
    """A mean and a covariance, for `frechet_distance` in the place of `Moments`.

    Args:
        mean: Float array `(d,)`.
        covariance: Float array `(d, d)`, symmetric, without a negative variance in any direction
            but for rounding.

    Raises:
        ValueError: if the arrays are of another shape, or no mean and covariance.
    """

    def __init__(self, mean, covariance):
        mean, covariance = (np.asarray(array, "float64") for array in (mean, covariance))
        if mean.ndim != 1 or not mean.size or covariance.shape != 2 * mean.shape:
            raise ValueError(
                "A mean must have shape (d,) and its covariance (d, d). "
                f"Received: {mean.shape} and {covariance.shape}"
            )
        if not (np.isfinite(mean).all() and np.isfinite(covariance).all()):
            raise ValueError("A mean and its covariance must be finite. Received: NaN or infinity")
        rounding = 1e-4 * np.abs(covariance).max()
        if np.abs(covariance - covariance.T).max() > rounding:
            raise ValueError("A covariance must be symmetric. The one received is not")
        variances, directions = np.linalg.eigh(covariance)
        if variances[0] < -rounding:
            raise ValueError(
                "A covariance must not have negative eigenvalues. "
                f"Received: one with {variances[0]:.3g}"
            )
        self.dimension = len(mean)
        self._mean = mean
        self._root = np.sqrt(np.maximum(variances, 0.0))[:, None] * directions.T

    @classmethod
    def read(cls, path):
        """Reads an `.npz` file of `mu` and `sigma`, as pytorch-fid and the code of TTUR write it.

        Nothing in it is executed. What is no such file is a ValueError that names it.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                return cls(file["mu"], file["sigma"])
        except (OSError, TypeError, AttributeError, EOFError, zipfile.BadZipFile) as error:
            raise ValueError(f"Cannot read {path}: {one_line(error)}") from error
        except KeyError as error:
            raise ValueError(
                f"{path} must hold the arrays mu and sigma. {error.args[0]}"
            ) from error
        except ValueError as error:
            raise ValueError(f"{path} holds no mean and covariance: {one_line(error)}") from error

    def mean_and_root(self):
        """The mean, float64 `(d,)`, and a root of the covariance, float64 `(d, d)`.

        `root^T root` is the covariance.
        """
        return self._mean, self._root
