# T12 exception or killed or timeout: files without end
import os

for n in range(10**9):
    os.close(os.open(f'{n}', os.O_CREAT | os.O_WRONLY))
