"""The elimination as the plain loop of its equations in numpy: elimination.py n m second.f64 weights.f64 order.u32 most

Prints the processor seconds of set-up and loop; writes the order. Views shrink, buffers are reused: the plain loop at its
best. It stops after `most` seconds.
"""
import sys
import time

import numpy as np

n, m = int(sys.argv[1]), int(sys.argv[2])
second = np.fromfile(sys.argv[3]).reshape(n, n)
weights = np.fromfile(sys.argv[4]).reshape(n, m)
np.linalg.inv(second[:64, :64])  # the library wakes up

start = time.process_time()
w = weights.copy()
h = np.linalg.inv(second + 1e-12 * second.trace() / n * np.eye(n))
unit = np.arange(n)
gone = []
room = np.empty((n, max(n, m)))
for last in range(n - 1, 0, -1):
    cost = np.einsum("ij,ij->i", w[: last + 1], w[: last + 1]) / h.diagonal()[: last + 1]
    j = cost.argmin()
    for rows in (h, w, unit):
        rows[[j, last]] = rows[[last, j]]
    h[: last + 1, [j, last]] = h[: last + 1, [last, j]]
    gone.append(unit[last])
    share = h[:last, last] / h[last, last]
    w[:last] -= np.multiply.outer(share, w[last], out=room[:last, :m])
    h[:last, :last] -= np.multiply.outer(share, h[last, :last], out=room[:last, :last])
    if time.process_time() - start > float(sys.argv[6]):
        break
else:
    gone.append(unit[0])
print(time.process_time() - start)
np.array(gone, dtype=np.uint32).tofile(sys.argv[5])
