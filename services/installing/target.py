"""What a name on the command line means: which model, from where, and into which folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from services.installing.errors import CannotInstall, NoSuchModel
from services.model.catalog import Catalog, ModelEntry, is_hub_id
from services.models_folder import load_catalog, locate
from services.settings import Settings


@dataclass(frozen=True, slots=True)
class Target:
    """`entry` is None for a model that the catalog does not know; `hub_id` is empty where nobody
    says where it can be pulled from."""

    name: str
    hub_id: str
    revision: str
    folder: Path
    entry: ModelEntry | None

    @property
    def to_pull(self) -> str:
        """The id on the hub. Raises NoSuchModel if that is not known."""
        if not self.hub_id:
            raise NoSuchModel(
                f"The catalog does not say where {self.name} can be pulled from: make its "
                "location the id on the hub (owner/name), or bring it by --from."
            )
        return self.hub_id


def target_of(name: str, settings: Settings) -> Target:
    """By a name or an alias of the catalog, or by `owner/name` of the hub. Raises CannotInstall."""
    catalog = load_catalog(settings)
    entry = catalog.entry(name) or _by_hub_id(catalog, name)
    if entry is not None:
        _check(entry)
        folder = locate(entry, settings) or settings.models_folder / entry.name
        return Target(entry.name, entry.hub_id, entry.revision or "main", folder, entry)
    if is_hub_id(name):
        return Target(name, name, "main", settings.models_folder / name, None)
    known = ", ".join(entry.name for entry in catalog.entries.values() if entry.hub_id)
    raise NoSuchModel(
        f"The catalog has no model {name[:60]!r}; there are {known}. Others are named as on the "
        "hub, owner/name, or in the catalog file."
    )


def _by_hub_id(catalog: Catalog, name: str) -> ModelEntry | None:
    return next((each for each in catalog.entries.values() if name and each.hub_id == name), None)


def _check(entry: ModelEntry) -> None:
    if entry.demo or entry.engine in {"opencc", "stub"}:
        raise CannotInstall(f"{entry.name} comes with Fanscribe: there is nothing to install.")
    if entry.hops:
        hops = " and ".join(hop.name for hop in entry.hops)
        raise CannotInstall(f"{entry.name} is made of {hops}: install those.")
    if entry.engine == "llm":
        raise CannotInstall(f"{entry.name} runs at its own service: there is nothing to install.")
