"""scipy's way to the blocks of one layer: partition.py out in weights.f32 bias.f32 epsilon...

weights (in, out). All distances, 3 times the L1 norm as the equivalence has it, then connected components of those within each
epsilon. Prints the processor seconds of the distances, then for each epsilon "seconds blocks".
"""
import sys
import time

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import pdist, squareform

out, features = int(sys.argv[1]), int(sys.argv[2])
weights = np.fromfile(sys.argv[3], dtype=np.float32).reshape(features, out)
rows = np.vstack([weights, np.fromfile(sys.argv[4], dtype=np.float32)]).T.astype(np.float64)

start = time.process_time()
distances = 3 * pdist(np.ascontiguousarray(rows), "cityblock")
print(time.process_time() - start)
for epsilon in map(float, sys.argv[5:]):
    start = time.process_time()
    count, _ = connected_components(csr_matrix(squareform(distances <= epsilon)), directed=False)
    print(time.process_time() - start, count)
