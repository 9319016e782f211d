# T7 ok: four thousand levels
deep = []
for _ in range(400):
    deep = [[[[[[[[[[deep]]]]]]]]]]
x = 1
while deep:
    deep = deep.pop()
