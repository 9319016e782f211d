# T8 exception or timeout or ok or killed: raises at any moment, in the tracer too
import signal


def handle(number, frame):
    raise TimeoutError("now")


signal.signal(signal.SIGALRM, handle)
signal.setitimer(signal.ITIMER_REAL, 0.1, 0.001)
for n in range(3000):
    x = n
