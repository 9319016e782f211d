# T7 ok: in every statement another large value
text = ''
for n in range(60):
    text = str(n) * 1_000_000
    many = list(range(100_000))
