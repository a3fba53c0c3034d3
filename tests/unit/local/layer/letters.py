"""Stands for the shared layer: found on the path, beside the functions."""


def shout(word: str) -> str:
    return word.upper()
