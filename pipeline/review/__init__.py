"""The retraining loop: sentences for people to judge, their answers as label events, and how far they agree."""
