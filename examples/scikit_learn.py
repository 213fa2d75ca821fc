"""Use `TextClassifier` with scikit-learn: cross-validation and a grid search."""

from sklearn.model_selection import GridSearchCV, cross_val_score

from tagline import TextClassifier, load_dataset

data = load_dataset("movie-snippets")
texts, labels = data.train.texts.to_list()[::4], data.train.labels.to_list()[::4]
print("3 folds:", cross_val_score(TextClassifier(), texts, labels, cv=3).round(3))

search = GridSearchCV(TextClassifier(), {"recipe": ["fast", "linear-svm", "naive-bayes"]}, cv=3)
search.fit(texts, labels)
print("best:", search.best_params_, round(search.best_score_, 3))
