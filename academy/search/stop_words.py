"""Words that tell nothing about what somebody looks for. They are indexed, and left out of a query
as long as it holds another word: “the theory of queues” asks for theory and queues.
"""

from __future__ import annotations

from typing import Final

_ENGLISH: Final = """
a about all an and any are as at be been but by can could did do does for from get had has have he her
his how i if in into is it its just me my no not of on or our she so some such than that the their them
then there these they this those to up us was we were what when where which who why will with would you
your
"""
_FRENCH: Final = """
a ai au aux avec c ce ces cet cette comme d dans de des du elle elles en est et etre eux il ils j je l la
le les leur leurs lui m ma mais me mes moi mon n ne nos notre nous on ont ou par pas plus pour qu quand
que quel quelle quelles quels qui s sa se ses si son sont sur t ta te tes ton tu un une vos votre vous y
"""
_CHINESE: Final = """
的 了 是 和 与 及 或 在 于 之 其 也 都 就 而 着 把 被 对 从 到 用 以 为 吗 呢 吧 啊 么 地 得 这 那 有 什么 怎么 怎样 如何 哪些
哪个 为什么 一个 一种 这个 那个 我们 你们 他们 它们 以及 关于 请问 有关
"""
STOP_WORDS: Final = frozenset(f"{_ENGLISH} {_FRENCH} {_CHINESE}".split())
"""Folded: lower case, no accents, simplified."""
