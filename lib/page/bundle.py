#!/usr/bin/env python3
"""bundle.py - files as constant C: the table that page.h tells of.

usage: bundle.py OUT.c [PATH=FILE ...]

PATH is what a browser asks for. The same files make the same C.
"""
import hashlib
import pathlib
import sys

TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8",
         ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
A_LINE = 32


def lines_of(data):
    for at in range(0, len(data), A_LINE):
        yield "    " + ",".join(map(str, data[at:at + A_LINE])) + ","


def main():
    out, assets = sys.argv[1], [word.split("=", 1) for word in sys.argv[2:]]
    text = ["/* Made by bundle.py. */", '#include "page/page.h"', ""]
    rows = []
    for number, (path, file) in enumerate(assets):
        data = pathlib.Path(file).read_bytes()
        etag = hashlib.sha256(data).hexdigest()[:16]
        text += [f"static const unsigned char asset_{number}[] = {{", *lines_of(data), "};", ""]
        rows.append(f'    {{"{path}", "{TYPES[pathlib.Path(file).suffix]}", "\\"{etag}\\"",'
                    f" {{(const char *)asset_{number}, sizeof(asset_{number})}}}},")
    # C has no empty arrays.
    text += ["const struct sl_page_asset sl_page_assets[] = {", *(rows or ["    {0},"]), "};",
             f"const size_t sl_page_asset_count = {len(rows)};"]
    pathlib.Path(out).write_text("\n".join(text) + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
