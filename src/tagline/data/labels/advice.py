"""Advice in notes on labels to give `--keep-label-spelling`, which no command that reads rows for a model takes."""

KEEPS_APART = " `--keep-label-spelling` keeps them apart."
IF_SINGLE_NAMES = " Give `--keep-label-spelling` if these are single names."
IF_CLASS = " Give `--keep-label-spelling`, or rename the label, if it is a class."


def without_option(sentence: str) -> str:
    """Return a note on labels without the option, for rows whose labels are spelled as the classes of a model."""
    sentence = sentence.replace(IF_CLASS, " Rename the label, if it is a class.")
    return sentence.replace(KEEPS_APART, "").replace(IF_SINGLE_NAMES, "")
