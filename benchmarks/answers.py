"""Whether two programs gave the same answer. Each function returns "" or what differs, in one sentence."""
import math


def close(name, ours, theirs, tolerance):
    """Nested lists of numbers, equal within an absolute tolerance; what is no number differs."""
    flat = lambda x: [v for item in x for v in flat(item)] if isinstance(x, list) else [x]
    a, b = flat(ours), flat(theirs)
    if len(a) != len(b) or not a:
        return f"{name}: {len(a)} numbers and {len(b)} numbers"
    worst = max((abs(x - y) if math.isfinite(x) and math.isfinite(y) else math.inf) for x, y in zip(a, b))
    return "" if worst <= tolerance else f"{name}: they differ by {worst:.3g}, more than {tolerance:g}"


def same_tables(ours, theirs, columns, relative):
    """Two pandas frames: the same numbers in `columns` within |a - b| <= relative * (1 + |b|), missing in the same places."""
    import numpy as np

    missing = [c for c in columns if c not in ours or c not in theirs]
    if missing:
        return f"the column {missing[0]} is missing in one table"
    if len(ours) != len(theirs) or len(ours) == 0:
        return f"{len(ours)} rows and {len(theirs)} rows"
    for c in columns:
        a, b = ours[c].to_numpy(float), theirs[c].to_numpy(float)
        if (np.isnan(a) != np.isnan(b)).any():
            return f"column {c}: a value is missing in one table alone"
        wrong = np.abs(a - b) > relative * (1 + np.abs(b))
        if wrong.any():
            row = int(np.argmax(wrong))
            return f"column {c}, row {row}: {a[row]!r} and {b[row]!r}"
    return ""


def same_distribution(ours, theirs):
    """Two samples of one model: the same columns, and in each the same share missing and the same distribution, to 6 standard errors.

    Numbers are held to the two-sample Kolmogorov-Smirnov distance, categories to the share of each. Pairs: rank correlation of
    neighbouring numeric columns.
    """
    import numpy as np
    import pandas as pd

    if list(ours.columns) != list(theirs.columns):
        return "they have other columns, or another order"
    n, m = len(ours), len(theirs)
    if min(n, m) == 0:
        return "one of them is empty"
    def differ(a, b, n, m):  # two shares of n and m rows; rare ones, of fewer than ten rows in all, say nothing
        p = (a * n + b * m) / (n + m)
        return p * (n + m) >= 10 and abs(a - b) > 6 * math.sqrt(p * (1 - p) * (1 / n + 1 / m))

    numeric = []
    for c in ours.columns:
        a, b = ours[c], theirs[c]
        if differ(a.isna().mean(), b.isna().mean(), n, m):
            return f"column {c}: {a.isna().mean():.4f} and {b.isna().mean():.4f} missing"
        a, b = a.dropna(), b.dropna()
        if len(a) == 0 or len(b) == 0:
            continue
        if pd.api.types.is_numeric_dtype(a) != pd.api.types.is_numeric_dtype(b):
            return f"column {c}: one has numbers, the other text"
        if pd.api.types.is_numeric_dtype(a):
            numeric.append(c)
            x, y = np.sort(a.to_numpy(float)), np.sort(b.to_numpy(float))
            at = np.concatenate([x, y])
            distance = np.abs(np.searchsorted(x, at, "right") / len(x) - np.searchsorted(y, at, "right") / len(y)).max()
            if distance > 2.5 * math.sqrt(1 / len(x) + 1 / len(y)):  # p = 7e-6
                return f"column {c}: Kolmogorov-Smirnov distance {distance:.4f}"
        else:
            ours_share, theirs_share = a.value_counts(normalize=True), b.value_counts(normalize=True)
            for label in ours_share.index.union(theirs_share.index):
                p, q = ours_share.get(label, 0.0), theirs_share.get(label, 0.0)
                if differ(p, q, len(a), len(b)):
                    return f"column {c}: {label!r} has shares {p:.4f} and {q:.4f}"
    for c, d in zip(numeric, numeric[1:]):
        if any(f[x].nunique() < 2 for f in (ours, theirs) for x in (c, d)):
            continue
        r, s = (f[c].corr(f[d], method="spearman") for f in (ours, theirs))
        both = min((f[c].notna() & f[d].notna()).sum() for f in (ours, theirs))
        if both > 1000 and abs(r - s) > 6 * math.sqrt(2 / both):
            return f"columns {c} and {d}: rank correlations {r:.3f} and {s:.3f}"
    return ""
