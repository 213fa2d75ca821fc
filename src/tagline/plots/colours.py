"""The colours of all plots. In a page each is a CSS colour, which follows its light or dark scheme."""

# M. Okabe, K. Ito, Color Universal Design (2008): distinguishable with any colour vision.
BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY = "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"
PALETTE = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY)
INK, QUIET, FAINT, PAPER = "#1c2430", "#5b6675", "#d5dae1", "#ffffff"
OTHERS = "#b4bcc8"  # lines among which some are named

#: Names of CSS variables, defined by the style sheet of the reports.
CSS_VARIABLES = {
    BLUE: "--blue",
    VERMILION: "--vermilion",
    GREEN: "--green",
    PURPLE: "--purple",
    ORANGE: "--orange",
    SKY: "--sky",
    INK: "--ink",
    QUIET: "--quiet",
    FAINT: "--grid",
    PAPER: "--card",
    OTHERS: "--others",
}
