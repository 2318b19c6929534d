"""Variants of senard that tell what one of its decisions is worth, and how constants are changed for them."""

import ast
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from types import FunctionType, MappingProxyType, ModuleType
from typing import Any

from numba.core.dispatcher import Dispatcher

from senard.model.grid import Grid
from senard.model.masks import SceneJudgement

ROOMS = ("algorithms", "steps")
"""Where constants may be changed, below senard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One way to run senard: a column of the table."""

    name: str
    """Column: "senard"."""

    options: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Field of MosaicRequest to its value as typed: {"buffer": "pure"}."""

    constants: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Constant of a module below senard.algorithms or senard.steps to its value: {"labelling.KEPT": "36"}."""

    judge_gsd: int = 60
    """Pixel side of the bands that evidence is taken from, m: 60, or 20 for the price of nine times the pixels."""

    @classmethod
    def parse(cls, text: str) -> "Variant":
        """Read `name:field=value,…`; a field with a dot is a constant."""
        name, _, rest = text.partition(":")
        pairs = dict(item.split("=", 1) for item in rest.split(",") if item)
        return cls(
            name=name,
            options={key: value for key, value in pairs.items() if "." not in key},
            constants={key: value for key, value in pairs.items() if "." in key},
        )


PLAIN = Variant(name="senard")
"""As it is delivered."""

ABLATIONS: tuple[Variant, ...] = (
    Variant(name="detect at 20 m", constants={"departure.PIXEL_M": "20"}, judge_gsd=20),
    Variant(name="full stack", constants={"labelling.KEPT": "36", "background.KEPT": "36"}),
    Variant(name="buffer pure", options={"buffer": "pure"}),
    Variant(name="buffer terrasc.", options={"buffer": "terrascope"}),
)
"""Run by --variants: evidence at 20 m, all observations kept instead of the best few, wider buffers."""


@contextmanager
def as_in(variant: Variant) -> Iterator[None]:
    """The code as a variant wants it, for a while: for ablations, never for a product.

    Raises:
        SystemExit: a constant is not there, or a compiled function has already taken it in.
    """
    undo: list[Callable[[], None]] = []
    try:
        for key, text in variant.constants.items():
            _change(key, text, undo)
        if variant.judge_gsd != 60:
            _replace(SceneJudgement, "grids", property(_fine_grids), undo)
        yield
    finally:
        for step in reversed(undo):
            step()


def _fine_grids(judgement: SceneJudgement) -> dict[int, Grid]:
    """Grids of a mask folder whose judge bands have pixels of 20 m."""
    grid = Grid(
        crs=judgement.crs,
        left=judgement.left,
        top=judgement.top,
        gsd=20,
        width=judgement.width,
        height=judgement.height,
    )
    return {20: grid, 60: grid}


def _change(key: str, text: str, undo: list[Callable[[], None]]) -> None:
    """Give a constant another value wherever senard holds it: in its module, in those that import it, as a default."""
    home, name = _constant(key)
    old = getattr(home, name)
    new = {"True": True, "False": False}[text] if isinstance(old, bool) else type(old)(text)
    for module in [module for path, module in list(sys.modules.items()) if path.startswith("senard.")]:
        if module is not home and not _imports(module, home, name):
            continue
        if _goes_into_another(module, name):
            raise SystemExit(f"{key}: other constants of {module.__name__} are made of it; change those.")
        for function in _functions(module):
            if isinstance(function, Dispatcher):
                code = function.py_func.__code__
                if name in code.co_names:
                    raise SystemExit(f"{key}: {code.co_name} is compiled with it; it cannot be changed in a run.")
            elif function.__defaults__:
                _change_default(function, name.lower(), new, undo)
        _replace(module, name, new, undo)


def _constant(key: str) -> tuple[ModuleType, str]:
    """The module and name of `module.NAME`."""
    stem, _, name = key.rpartition(".")
    for room in ROOMS:
        try:
            module = import_module(f"senard.{room}.{stem}")
        except ModuleNotFoundError:
            continue
        if hasattr(module, name):
            return module, name
    raise SystemExit(f"{key}: expected a constant of a module in senard.algorithms or senard.steps, found none.")


def _imports(module: ModuleType, home: ModuleType, name: str) -> bool:
    """Whether a module took the name from its home: its source says so, for numbers alone tell nothing."""
    if not hasattr(module, name):
        return False
    lines = inspect.getsource(module).split(f"from {home.__name__} import ")[1:]
    return any(name in line.split("\n\n")[0].split("from ")[0].replace(",", " ").split() for line in lines)


def _goes_into_another(module: ModuleType, name: str) -> bool:
    """Whether the value was used up when the module was read."""
    made = [part for part in ast.parse(inspect.getsource(module)).body if isinstance(part, ast.Assign | ast.AnnAssign)]
    values = [node for part in made if part.value is not None for node in ast.walk(part.value)]
    return any(isinstance(node, ast.Name) and node.id == name for node in values)


def _functions(module: ModuleType) -> Iterator[Any]:
    """Functions, methods and compiled functions that a module defines."""
    for value in vars(module).values():
        if getattr(value, "__module__", None) != module.__name__:
            continue
        if isinstance(value, type):
            members = (getattr(member, "__func__", member) for member in vars(value).values())
            yield from (member for member in members if isinstance(member, FunctionType))
        elif isinstance(value, FunctionType | Dispatcher):
            yield value


def _change_default(function: FunctionType, parameter: str, new: object, undo: list[Callable[[], None]]) -> None:
    """Change the default of one parameter, if the function has it."""
    defaults = function.__defaults__ or ()
    names = function.__code__.co_varnames[: function.__code__.co_argcount][-len(defaults) :]
    if parameter in names:
        changed = tuple(new if name == parameter else old for name, old in zip(names, defaults, strict=True))
        _replace(function, "__defaults__", changed, undo)


def _replace(owner: Any, name: str, new: object, undo: list[Callable[[], None]]) -> None:
    old = getattr(owner, name)
    undo.append(lambda: setattr(owner, name, old))
    setattr(owner, name, new)
