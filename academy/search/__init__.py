"""Search over courses, lectures and moments: words of Chinese, English and French text, queries, highlights.

All of it is pure: the stores keep what is made here (`academy/mongo/search/`). Making words costs
about 10 µs per sentence, so that whole lectures are done off the event loop.
"""
