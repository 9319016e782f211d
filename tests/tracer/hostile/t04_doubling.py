# T4 memory: a string that doubles
text = 'x'
while True:
    text += text
