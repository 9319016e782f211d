# T12 ok: in any of many places
import os

for folder in ("@FOLDER@", "/", "/usr", "/usr/lib", "/etc", "/var/tmp", "/dev", "/dev/shm", "/lab", os.path.dirname(os.__file__)):
    try:
        with open(f"{folder}/written-by-a-program", "w") as file:
            file.write("x")
        print("ESCAPED", folder)
    except OSError:
        pass
