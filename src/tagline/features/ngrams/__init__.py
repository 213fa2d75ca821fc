"""Word and character n-grams with an exact vocabulary, as sparse matrices of counts.

`table` numbers the n-grams, `counting` counts and finds them (compiled, or by `arrays`, the reference in NumPy),
`words` and `characters` say what their symbols are.
"""

from tagline.features.ngrams.characters import CharNgrams
from tagline.features.ngrams.table import NgramTable
from tagline.features.ngrams.words import WordNgrams

__all__ = ["CharNgrams", "NgramTable", "WordNgrams"]
