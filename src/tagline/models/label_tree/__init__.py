"""Label trees: linear models of very many classes, whose time of prediction grows with the logarithm of their number.

Classes with similar texts share a leaf group; at each node linear SVMs tell its children apart (Parabel, Y. Prabhu et
al. 2018; Bonsai, S. Khandagale et al. 2020).
"""

from tagline.models.label_tree.calibration import calibrated
from tagline.models.label_tree.fit import fit_label_tree
from tagline.models.label_tree.tree import LabelTree

__all__ = ["LabelTree", "calibrated", "fit_label_tree"]
