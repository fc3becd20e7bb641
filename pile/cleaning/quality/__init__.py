"""The quality classifier of Pile-CC: how much a web page reads like the pages people linked to.

fastText's supervised model (Joulin et al. 2016) over words and pairs of words, trained on the user's
own documents: those of OpenWebText2 against those of Common Crawl, as the Pile did. `words` cuts and
hashes texts, `train` makes a `model`, `score` applies it, `rule` draws what is kept. `kernels` does the
work; `reference` says the same slowly.
"""
