# T2 exception: there is nothing to read
text = input()
