# T12 ok: what every machine has
for path in ("/etc/passwd", "/etc/shadow", "/etc/hostname", "/root/.bashrc", "/var/log/dpkg.log"):
    try:
        print("ESCAPED", len(open(path).read()))
    except OSError:
        pass
