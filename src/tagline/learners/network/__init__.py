"""The learner of networks: their inputs, layers, training and word vectors."""
