"""Rows of features: their inner products, and blocks of them beside each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse


class Beside:
    """Blocks of the same rows beside each other: a matrix that need not be made.

    Dense blocks stay dense, sparse ones sparse. Joined they would be a sparse matrix that is mostly
    full: larger than all blocks, and many times slower to multiply.

    Parameters
    ----------
    blocks : sequence of ndarray or CSR matrix, of shape (n_rows, n_columns) each
    scale : float
        What all of it is multiplied by.
    """

    def __init__(self, blocks: Sequence[Any], scale: float = 1.0) -> None:
        self.blocks = tuple(blocks)
        self.scale = np.float32(scale)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.blocks[0].shape[0], sum(block.shape[1] for block in self.blocks)

    def __getitem__(self, rows: Any) -> Beside:
        """Return some rows: an array of places or of booleans, or a slice."""
        return Beside([block[rows] for block in self.blocks], self.scale)

    def __sub__(self, other: Beside) -> Beside:
        assert self.scale == other.scale, "the same representation"
        pairs = zip(self.blocks, other.blocks, strict=True)
        return Beside([mine - others for mine, others in pairs], self.scale)

    def __matmul__(self, weights: NDArray[Any]) -> NDArray[Any]:
        """Return the product with weights of shape (n_columns,) or (n_columns, n_outputs)."""
        parts = zip(self.blocks, self._columns(), strict=True)
        return np.asarray(self.scale * sum(block @ weights[columns] for block, columns in parts))

    def pull(self, dual: NDArray[Any]) -> NDArray[Any]:
        """Return the product of the transpose with an array of shape (n_rows, ...)."""
        return np.concatenate([self.scale * (block.T @ dual) for block in self.blocks])

    def mean(self) -> NDArray[Any]:
        """Return the mean row."""
        means = [np.asarray(block.mean(axis=0)).ravel() for block in self.blocks]
        return np.concatenate(means) * self.scale

    def squares(self) -> NDArray[Any]:
        """Return the squared length of each row."""
        return np.asarray(np.square(self.scale) * sum(squares(block) for block in self.blocks))

    def products(self, other: Any) -> NDArray[np.float32]:
        """Return the inner products with other rows, of the same blocks or in one matrix."""
        if isinstance(other, Beside):
            others, scale = other.blocks, self.scale * other.scale
        else:
            others, scale = tuple(other[:, columns] for columns in self._columns()), self.scale
        made = sum(map(products, self.blocks, others))
        return np.asarray(made * scale, dtype=np.float32)

    def joined(self) -> Any:
        """Return one matrix: CSR if any block is, else dense; float32."""
        return joined(self.blocks) * self.scale

    def _columns(self) -> Iterator[slice]:
        start = 0
        for block in self.blocks:
            yield slice(start, start + block.shape[1])
            start += block.shape[1]


def joined(blocks: Sequence[Any]) -> Any:
    """Return blocks beside each other as one matrix: CSR if any block is sparse, else dense."""
    if any(sparse.issparse(block) for block in blocks):
        return sparse.hstack([sparse.csr_matrix(block) for block in blocks], format="csr")
    return np.hstack(blocks)


def as_matrix(rows: Any) -> Any:
    """Return rows as any estimator takes them."""
    return rows.joined() if isinstance(rows, Beside) else rows


def products(left: Any, right: Any) -> NDArray[np.float32]:
    """Return the inner products of rows, dense of shape (n_left, n_right)."""
    if isinstance(left, Beside):
        return left.products(right)
    if isinstance(right, Beside):
        return right.products(left).T
    if sparse.issparse(left) != sparse.issparse(right):  # then one of them is all but full
        left, right = (rows.toarray() if sparse.issparse(rows) else rows for rows in (left, right))
    made = left @ right.T
    return np.asarray(made.toarray() if sparse.issparse(made) else made, dtype=np.float32)


def pull(rows: Any, dual: NDArray[Any]) -> NDArray[Any]:
    """Return ``rows.T @ dual``."""
    return rows.pull(dual) if isinstance(rows, Beside) else np.asarray(rows.T @ dual)


def squares(rows: Any) -> NDArray[np.floating[Any]]:
    """Return the squared length of each row, of shape (n_rows,)."""
    if isinstance(rows, Beside):
        return rows.squares()
    made = rows.multiply(rows) if sparse.issparse(rows) else np.square(rows)
    return np.asarray(made.sum(axis=1)).ravel()


def mean_row(rows: Any) -> NDArray[Any]:
    """Return the mean of all rows, of shape (n_columns,)."""
    return rows.mean() if isinstance(rows, Beside) else np.asarray(rows.mean(axis=0)).ravel()
