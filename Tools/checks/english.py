#!/usr/bin/env python3
"""Reports wording that reads as foreign, in everything that users and readers see.

usage: Tools/checks/english.py [--report]

Searches the sources, the tests (which quote messages), the README, and the articles. Default: one line per match, and
status 1 if there is any. --report prints the number of matches per pattern, before the pass over all texts and now.
"""
import pathlib
import re
import sys

# Pattern, what to write instead, and its matches at commit 69c39de.
PATTERNS = [
    (r"\brequired (an?|the|is|are)\b", "expected X, found Y", 147),
    (r"\bfound [^\"\n]*, required\b", "expected X, found Y", 191),
    (r"\b(is|are|was|were) no (?!longer\b|more\b|fewer\b|less\b|such\b)[a-z]", "is not a", 114),
    (r"\bbehind\b", "after", 79),
    (r"\bso many\b", "this many, or the number", 17),
    (r"\bfits? (no|nothing|none)\b", "matches no", 8),
    (r",\stoo[.;\"`]", "also, in mid-sentence", 14),
    (r"\bwithout: ", "Default:", 2),
    (r"\b(is|are|be|was|were) said\b", "reported", 21),
    (r"\b(a|one) (line|value|task) an? [a-z]+\b", "one line per file", 8),
    (r"\b\w*(initialis|recognis|normalis|quantis|serialis|optimis|organis|summaris|generalis|specialis|finalis|"
     r"materialis|capitalis|minimis|maximis|utilis|categoris|randomis|vectoris|parametris|reparametris)"
     r"(e|es|ed|er|ers|ing|ation|ations)\b", "American spelling, -ize", 121),
    (r"\b(behaviour|colour|honour|favour|neighbour|labelled|modelled|centre|licence|grey|spelt|afterwards|towards)"
     r"(s|ed|ing)?\b", "American spelling", 39),
]

# Matches that are right as they stand: a file's name pattern, a regular expression for the text around the match, and why.
EXCEPTIONS = [
    ("**/*", r"\bthere (is|are|was|were) no\b", "plain English, unlike 'x is no y'"),
    ("Sources/Strided/BandPlan.swift", r"that are no larger than", "a comparison"),
    ("Sources/CKernels/double_functions.h", r"\btowards\b", "a variable of the original C code"),
    ("Tests/**/*", r"normalisations", "files of Fixtures/keras"),
    ("Tests/**/*", r"quantised\.pt", "a file of Fixtures/pytorch"),
]

ROOT = pathlib.Path(__file__).resolve().parents[2]
PLACES = ["Sources/**/*.swift", "Sources/**/*.h", "Sources/**/*.c", "Sources/**/*.md", "Tests/**/*.swift", "README.md"]


def matches():
    """Path, line number, index of the pattern, and the text of each match."""
    for place in PLACES:
        for path in sorted(ROOT.glob(place)):
            name = path.relative_to(ROOT)
            lines = path.read_text().splitlines()
            for index, (pattern, _, _) in enumerate(PATTERNS):
                for number, line in enumerate(lines, 1):
                    for match in re.finditer(pattern, line, re.I):
                        if not excepted(name, line, match):
                            yield name, number, index, match.group()


def excepted(name, line, match):
    """Whether an exception covers the match: its text lies within, or overlaps, that of the exception."""
    return any(
        name.match(file) and any(
            other.start() < match.end() and match.start() < other.end() for other in re.finditer(text, line, re.I))
        for file, text, _ in EXCEPTIONS)


def main():
    found = list(matches())
    if "--report" in sys.argv[1:]:
        print(f"{'before':>6} {'now':>6}  pattern")
        for index, (pattern, _, before) in enumerate(PATTERNS):
            print(f"{before:6} {sum(match[2] == index for match in found):6}  {pattern}")
        return 0
    for name, number, index, text in found:
        print(f"{name}:{number}: '{text}': write {PATTERNS[index][1]}")
    print("English: ok" if not found else f"{len(found)} matches")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
