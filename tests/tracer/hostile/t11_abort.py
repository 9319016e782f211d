# T11 killed, trace_incomplete: by abort(3)
import os

os.abort()
