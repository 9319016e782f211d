# T3 exception: nor this way
import os

os.posix_spawn('/bin/sh', ['sh', '-c', 'echo ESCAPED'], {})
