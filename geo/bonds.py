"""What is known so far of the links between things?

``bonds`` is a tuple of arrays. ``comp`` and ``kind`` are disjoint sets: things that hang together, and those that do so
whichever single link is cut. ``size`` is the size of the former, ``above`` the tree of the latter: its edges are the
links that hold two parts alone. ``edge`` numbers them, and ``joint`` keeps the two things that each joins. ``mark`` is
working space, ``count`` counts circles and edges. Where only what hangs together is asked for (``most`` is 1, as many
links as two sets need, else 2) all but the first two are empty. Compiled; importing this module takes numba's start-up
time: import it late.
"""

from __future__ import annotations

import numpy as np

from geo.descents import inner, outer


def loose(n, most):
    """Return n things without a bond."""
    asked = n if most > 1 else 0
    nobody, marks = np.full(asked, -1), (np.zeros(asked, np.int64), np.zeros(2, np.int64))
    own = np.arange(asked), nobody, nobody.copy(), np.empty((asked, 2), np.int64), *marks
    return np.arange(n), np.ones(n, np.int64), *own


@inner
def find(up, i):
    """Return the one that stands for the set of ``i``."""
    while up[i] != i:
        up[i] = up[up[i]]
        i = up[i]
    return i


@inner
def _unite(comp, size, a, b):
    a, b = find(comp, a), find(comp, b)
    if size[a] > size[b]:
        a, b = b, a
    if a != b:
        comp[a] = b
        size[b] += size[a]


@inner
def _turn(kind, above, edge, v):
    """Make ``v`` the root of its tree."""
    child, carried = v - v - 1, v - v - 1
    while v != -1:
        up = find(kind, above[v]) if above[v] != -1 else above[v]
        own = edge[v]
        above[v], edge[v] = child, carried
        child, carried, v = v, own, up


@inner
def _step(kind, mark, v, stamp):
    """Return ``v`` after a look at it, and whether it was looked at before."""
    v = find(kind, v)
    seen = mark[v] == stamp
    mark[v] = stamp
    return v, seen


@inner
def _close(kind, above, mark, a, b, stamp):
    """Make one kind of all on the way from ``a`` to ``b``: a circle has closed."""
    one, two, top = a, b, a
    while True:
        if one != -1:
            one, seen = _step(kind, mark, one, stamp)
            top = one
            if seen:
                break
            one = above[one]
        if two != -1:
            two, seen = _step(kind, mark, two, stamp)
            top = two
            if seen:
                break
            two = above[two]
    for first in (a, b):
        v = first
        while v != top:
            up = find(kind, above[v])
            kind[v] = top
            v = up


@inner
def _joins(kind, above, edge, joint, a, b, u, v):
    """Return whether ``a`` hangs on ``b`` by the link of ``u`` and ``v``."""
    if above[a] == -1 or find(kind, above[a]) != b:
        return False
    return joint[edge[a], 0] == min(u, v) and joint[edge[a], 1] == max(u, v)


@inner
def _bind(bonds, u, v):
    """Take note of one link more where ``most`` is 2; the same one told twice is one."""
    comp, size, kind, above, edge, joint, mark, count = bonds
    a, b = find(kind, u), find(kind, v)
    if a == b:
        return
    if find(comp, a) != find(comp, b):
        if size[find(comp, a)] > size[find(comp, b)]:
            a, b = b, a
        _turn(kind, above, edge, a)
        above[a], edge[a] = b, count[1]
        joint[count[1], 0], joint[count[1], 1] = min(u, v), max(u, v)
        count[1] += 1
        _unite(comp, size, a, b)
    elif not _joins(kind, above, edge, joint, a, b, u, v) and not _joins(kind, above, edge, joint, b, a, u, v):
        count[0] += 1
        _close(kind, above, mark, a, b, count[0])


@inner
def link(bonds, u, v, most):
    """Take note of one link more."""
    if most == 1:
        _unite(bonds[0], bonds[1], u, v)
    else:
        _bind(bonds, u, v)


@inner
def joined(bonds, u, v, most):
    """Return whether another link of two things would tell nothing new."""
    up = bonds[0] if most == 1 else bonds[2]
    return find(up, u) == find(up, v)


@outer
def settled(up):
    """Return for each thing the one that stands for its set."""
    out = np.empty_like(up)
    for n in range(len(up)):
        out[n] = find(up, n)
    return out
