# call: digits(1203)
def digits(n):
    found = []
    while n > 0:
        n, digit = divmod(n, 10)
        if digit % 2:
            found.append(digit)
    total = 0
    for digit in found:
        total = total * 10 + digit
    return total
