"""The article's examples, in their order."""

import re

from .support import ROOT, FolderTest


class Article(FolderTest):
    def test_the_examples_run(self):
        text = (ROOT / "Sources/CheckpointKit/CheckpointKit.docc/Python.md").read_text()
        examples = re.findall(r"^```python\n(.*?)^```$", text, re.M | re.S)
        self.assertGreater(len(examples), 4)
        names = {}
        for example in examples:
            exec(compile(example, "Python.md", "exec"), names)  # noqa: S102
