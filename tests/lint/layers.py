#!/usr/bin/env python3
"""layers.py - holds every #include line against the layers of lib/README.md.

A file of lib/NAME may include its own module and what its CMakeLists.txt names under DEPS; a module
may depend only on modules that come before it in the top CMakeLists.txt. lib/h2 speaks no word of
gRPC, lib/grpc none of gNMI. plugins/ sees nothing of lib/, and of plugins/ itself only
sluice_plugin.h and sluice_option.h. Exits 1 and names each line that breaks the order.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)
FOREIGN_WORDS = {"h2": re.compile(r"grpc|gnmi", re.I), "grpc": re.compile(r"gnmi", re.I)}
MADE = (".pb-c.h", ".services.h")  # by the build, from proto/


def order():
    text = (ROOT / "CMakeLists.txt").read_text()
    return re.search(r"foreach\(module ([^)]*)\)", text).group(1).split()


def declared(module):
    text = (ROOT / "lib" / module / "CMakeLists.txt").read_text()
    found = re.search(r"sl_module\(" + module + r"\b(.*?)\)", text, re.S)
    if not found:
        return None
    deps = re.search(r"\bDEPS\b([^)]*?)(?:\bLINK\b|$)", found.group(1), re.S)
    return set(deps.group(1).split()) if deps else set()


def includes(path):
    text = path.read_text()
    for found in INCLUDE.finditer(text):
        yield text.count("\n", 0, found.start()) + 1, found.group(1)


def check_module(module, modules, errors):
    deps = declared(module)
    if deps is None:
        errors.append(f"lib/{module}/CMakeLists.txt: no sl_module({module} ...)")
        return
    for dep in sorted(deps):
        if dep not in modules or modules.index(dep) >= modules.index(module):
            errors.append(f"lib/{module}/CMakeLists.txt: {module} may not depend on {dep}")
    for path in sorted((ROOT / "lib" / module).glob("*.[ch]")):
        for line, name in includes(path):
            head = name.split("/")[0]
            if "/" not in name and (name.startswith("sluice_") or name.endswith(MADE)):
                continue
            if head != module and head not in deps:
                errors.append(f"{path.relative_to(ROOT)}:{line}: {name} is not of {module} nor its DEPS")


def check_words(module, errors):
    word = FOREIGN_WORDS[module]
    for path in sorted((ROOT / "lib" / module).glob("*.[ch]")):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if word.search(line):
                errors.append(f"{path.relative_to(ROOT)}:{number}: a word of another layer: {line}")


def check_plugins(errors):
    allowed = {"sluice_plugin.h", "sluice_option.h"}
    for path in sorted((ROOT / "plugins").rglob("*.[ch]")):
        for line, name in includes(path):
            own = (path.parent / name).exists() and path.parent != ROOT / "plugins"
            if name not in allowed and not own:
                errors.append(f"{path.relative_to(ROOT)}:{line}: a plugin may not include {name}")


def main():
    modules, errors = order(), []
    for module in modules:
        check_module(module, modules, errors)
    for path in sorted((ROOT / "lib").iterdir()):
        if path.is_dir() and path.name not in modules:
            errors.append(f"lib/{path.name}: not in the list of the top CMakeLists.txt")
    for module in FOREIGN_WORDS:
        check_words(module, errors)
    check_plugins(errors)
    print("\n".join(errors) or f"layers: {len(modules)} modules and the plugins keep the order")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
