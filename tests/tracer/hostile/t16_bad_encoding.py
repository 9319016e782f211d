# T16 rejected: no UTF-8
x = 'ÿ'
