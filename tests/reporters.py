"""A reporter that remembers what it was told."""

from pipeline.progress import SilentReporter


class Recorder(SilentReporter):
    """Adds up what is done, and keeps the messages."""

    def __init__(self):
        self.total = self.done = 0
        self.messages = []

    def start(self, total, unit):
        self.total = total

    def advance(self, count=1, note=""):
        self.done += count

    def message(self, text):
        self.messages.append(text)
