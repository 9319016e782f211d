# T15 ok: the known way out of a container
for path in ("/proc/sys/kernel/core_pattern", "/proc/sys/vm/overcommit_memory", "/proc/sysrq-trigger", "/sys/kernel/uevent_helper", "/sys/fs/cgroup/release_agent"):
    try:
        open(path, "r+").close()
        print("ESCAPED", path)
    except OSError:
        pass
