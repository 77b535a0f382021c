"""Counts by the edges that a golden table was made with, and how far the default's bins lie from it."""

import numpy as np


def golden_counts(inner_edges, values):
    """Bin i holds e[i-1] < x <= e[i]; the first and the last are open."""
    return np.bincount(np.searchsorted(inner_edges, values), minlength=len(inner_edges) + 1)


def show_psi(data, name, pairs):
    """Prints the default's PSI beside the golden one (seen with ``pytest -rP``)."""
    differences = [abs(default - golden) for default, golden in pairs]
    print(
        f"{data} {name}: PSI by deciles {min(g for _, g in pairs):.4f} to {max(g for _, g in pairs):.4f}, "
        f"the default's 10 coarse bins differ by {np.median(differences):.4f} (median), "
        f"{max(differences):.4f} (most)"
    )
