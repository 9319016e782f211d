# T7 ok: a thousand names in one frame
for n in range(1000):
    globals()[f'name_{n}'] = n
x = 1
y = 2
