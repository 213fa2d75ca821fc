"""English stop words.

NLTK's English list, which grew out of Porter's for Snowball (https://www.nltk.org/nltk_data/, corpus ``stopwords``),
without its single letters and fragments of contractions, which `Tokenizer` never produces.
"""

# `no`, `not`, `nor`, `don't` and other words with `n't` are missing on purpose: they decide sentiment.
_LISTED = """
i me my myself we our ours ourselves you you're you've you'll you'd your yours yourself yourselves
he him his himself she she's her hers herself it it's its itself they them their theirs themselves
what which who whom this that that'll these those am is are was were be been being have has had having
do does did doing a an the and but if or because as until while of at by for with about against between into
through during before after above below to from up down in out on off over under again further then once
here there when where why how all any both each few more most other some such only own same so than too very
can will just should should've now
"""
STOP_WORDS = tuple(_LISTED.split())
