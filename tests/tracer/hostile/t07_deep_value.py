# T7 ok: fifteen thousand levels
deep = []
for _ in range(1500):
    deep = [[[[[[[[[[deep]]]]]]]]]]
x = 1
while deep:
    deep = deep.pop()
