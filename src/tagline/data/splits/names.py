"""The names of the splits, and what files and columns call them."""

TRAIN, VALIDATION, TEST, SET_ASIDE = "train", "validation", "test", "unlabelled"
#: The splits in the order of the numbers that `split_rows` gives them.
SPLITS = (TRAIN, VALIDATION, TEST)
#: What the values of a split column, and the names of files and folders, mean.
SPLIT_NAMES = {
    "train": TRAIN,
    "training": TRAIN,
    "dev": VALIDATION,
    "valid": VALIDATION,
    "validation": VALIDATION,
    "val": VALIDATION,
    "devel": VALIDATION,
    "development": VALIDATION,
    "eval": VALIDATION,
    "evaluation": VALIDATION,
    "publictest": VALIDATION,
    "test": TEST,
    "testing": TEST,
    "holdout": TEST,
    "heldout": TEST,
    "privatetest": TEST,
    "unsup": SET_ASIDE,
    "unsupervised": SET_ASIDE,
    "unlabeled": SET_ASIDE,
    "unlabelled": SET_ASIDE,
}
