"""How this process's interpreter is set, for a program that makes many objects and no cycles."""

import gc

# Parsed documents and their records hold no reference cycles: reference counts free them. The
# collector, which by default looks at every 700 new objects, only walks over them again and
# again: a quarter of the time that preparing a document takes.
_OBJECTS_PER_COLLECTION = 50_000
_YOUNG_PER_MIDDLE, _MIDDLE_PER_FULL = 20, 100


def collect_garbage_seldom() -> None:
    """Let the garbage collector run seldom; call once, when all modules are loaded.

    Cycles are still collected, later: exceptions with tracebacks make some.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OBJECTS_PER_COLLECTION, _YOUNG_PER_MIDDLE, _MIDDLE_PER_FULL)
