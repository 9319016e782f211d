# T7 ok: a list in itself, and a dict in its values
a = []
a.append(a)
d = {}
d['d'] = [d, a]
b = (a, d)
