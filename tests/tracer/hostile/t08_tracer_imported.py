# T8 exception: its modules are none that a program can import
import tracer.monitor

print('ESCAPED')
