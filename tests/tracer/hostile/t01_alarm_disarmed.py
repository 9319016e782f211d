# T1 timeout: whoever relies on SIGALRM is disarmed by two lines
import signal

signal.setitimer(signal.ITIMER_REAL, 0)
signal.signal(signal.SIGALRM, signal.SIG_IGN)
while True:
    pass
