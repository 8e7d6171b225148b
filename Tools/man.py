#!/usr/bin/env python3
"""Writes the manual pages of `ckpt` from its own help.

usage: Tools/man.py CKPT FOLDER

Makes FOLDER/man1/ckpt.1, a page for each command (ckpt-diff.1), and FOLDER/man7 with a page for each topic of `ckpt help`
(ckpt-selectors.7).
"""
import json
import pathlib
import subprocess
import sys


def escaped(text):
    """Text of a paragraph: nothing in it means anything to roff."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join("\\&" + line if line[:1] in (".", "'") else line for line in text.split("\n"))


def sections(discussion):
    """Paragraphs, and the sections that begin with a line in capitals."""
    paragraphs, titled, open_section = [], [], False
    for line in discussion.split("\n"):
        if len(line) > 3 and line.isupper():
            titled.append((line, []))
            open_section = True
        elif open_section and line:
            titled[-1][1].append(line)
        elif not line:
            open_section = False
        elif not titled:
            paragraphs.append(line)
        else:
            titled[-1][1].append(line)
    return paragraphs, titled


def names(argument):
    value = f"<{argument.get('valueName', 'value')}>"
    if argument["kind"] == "positional":
        return value
    ordered = sorted(argument["names"], key=lambda name: name["kind"] == "long")
    text = ", ".join(("--" if name["kind"] == "long" else "-") + name["name"] for name in ordered)
    return text if argument["kind"] == "flag" else f"{text} {value}"


def synopsis(command):
    words = ["[<options>]"]
    for argument in command["arguments"]:
        if argument["kind"] == "positional" and argument["shouldDisplay"]:
            word = f"<{argument['valueName']}>" + (" ..." if argument["isRepeating"] else "")
            words.append(f"[{word}]" if argument["isOptional"] else word)
    return " ".join(words)


def head(name, section, version, abstract):
    return [f'.TH "{name.upper()}" "{section}" "" "ckpt {version}" "ckpt"', ".SH NAME", f"{name} \\- {escaped(abstract)}"]


def command_page(command, version):
    name = f"ckpt-{command['commandName']}"
    lines = head(name, 1, version, command["abstract"].rstrip("."))
    lines += [".SH SYNOPSIS", f".B ckpt {escaped(command['commandName'])}", escaped(synopsis(command))]
    paragraphs, titled = sections(command.get("discussion") or "")
    lines.append(".SH DESCRIPTION")
    for paragraph in paragraphs or [command["abstract"]]:
        lines += [".PP", escaped(paragraph)]
    examples = []
    for title, content in titled:
        block = [f".SH {title}", ".nf", *(escaped(line.removeprefix("  ")) for line in content), ".fi"]
        if title == "EXAMPLES":
            examples = block
        else:
            lines += block
    lines.append(".SH OPTIONS")
    for argument in command["arguments"]:
        if not argument["shouldDisplay"]:
            continue
        text = argument.get("abstract", "")
        if argument.get("defaultValue"):
            text += f" (default: {argument['defaultValue']})"
        lines += [".TP", f".B {escaped(names(argument))}", escaped(text)]
    return lines + examples + [".SH SEE ALSO", ".BR ckpt (1)"]


def main():
    program, folder = sys.argv[1], pathlib.Path(sys.argv[2])

    def ckpt(*arguments):
        return subprocess.run([program, *arguments], check=True, capture_output=True, text=True).stdout

    root = json.loads(ckpt("--experimental-dump-help"))["command"]
    version = ckpt("--version").strip()
    commands = [command for command in root["subcommands"] if command["commandName"] != "help"]
    front = ckpt("help").split("\n")
    topics = {}
    for line in front[front.index("Topics (ckpt help TOPIC):") + 1:]:
        if line.startswith("  "):
            topic, abstract = line.split(None, 1)
            topics[topic] = abstract
    pages = {}
    lines = head("ckpt", 1, version, root["abstract"].rstrip("."))
    lines += [".SH SYNOPSIS", ".B ckpt", escaped("COMMAND [OPTIONS] ..."), ".SH COMMANDS"]
    for command in commands:
        lines += [".TP", f".BR ckpt\\-{escaped(command['commandName'])} (1)", escaped(command["abstract"])]
    lines.append(".SH TOPICS")
    for topic, abstract in topics.items():
        lines += [".TP", f".BR ckpt\\-{escaped(topic)} (7)", escaped(abstract)]
    pages["man1/ckpt.1"] = lines
    for command in commands:
        pages[f"man1/ckpt-{command['commandName']}.1"] = command_page(command, version)
    for topic, abstract in topics.items():
        text = ckpt("help", topic).rstrip("\n").split("\n")[2:]
        pages[f"man7/ckpt-{topic}.7"] = (
            head(f"ckpt-{topic}", 7, version, abstract) + [".SH DESCRIPTION", ".in 0", ".nf", *map(escaped, text), ".fi", ".in", ".SH SEE ALSO", ".BR ckpt (1)"])
    for name, lines in pages.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
