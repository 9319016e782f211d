# T3 exception: nor as a pool
import multiprocessing

with multiprocessing.get_context("fork").Pool(2) as pool:
    print("ESCAPED", pool.map(abs, [-1]))
