# call: words("it's a\ttest, isn't it?")
def words(text):
    counts = {}
    for word in text.replace(",", "").rstrip("?").split():
        key = word[0].upper() + word[1:]
        counts[key] = counts.get(key, 0) + 1
    shout = "".join(key[::-1] for key in sorted(counts))
    data = shout.encode("utf-8")[:3]
    line = f"{len(counts):>3} {data!r} \N{BULLET}\x00"
    del text, word
    return line.strip("\0")
