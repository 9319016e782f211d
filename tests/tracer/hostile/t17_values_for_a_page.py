# T17 ok: what ends a script, closes a comment or turns the writing round
a = "</script><script>document.title='ESCAPED ' + 1</script>"
b = "<img src=x onerror=alert(1)>"
c = "-->\u2028\u2029\u202e"
d = "\x1b]0;title\x07\x1b[31m"
e = "{{ 7 * 7 }}"
