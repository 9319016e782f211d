# T12 ok or killed: deeper than a path can say
import os

for n in range(1500):
    os.mkdir("deep")
    os.chdir("deep")
