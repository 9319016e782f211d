# T3 exception: no other program is run
import subprocess

subprocess.run(['/bin/sh', '-c', 'echo ESCAPED'])
