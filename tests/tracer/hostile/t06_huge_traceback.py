# T6 exception: a message of a hundred megabytes
raise ValueError('x' * (100 << 20))
