"""A typed bijection between the row incarnations of the two sides.

Learned from the rows that a step inserts on both sides, or, where no database is seen, from paired answers to creates.
An incarnation is one life of a row: a delete seen on both sides ends it, and the same key may then name another row.
The kind of an incarnation is its table, or the address of the collection whose create was answered.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from urllib.parse import quote, unquote

from msgspec import structs

from harness.domain.compare.cells import RowMapping, pair_tables
from harness.domain.compare.document import parse_json, to_text
from harness.domain.compare.pairing import pair_inserts
from harness.domain.compare.rekey import is_id_name, may_name_one_row, rekey
from harness.domain.difference import Difference, DifferenceKind, Facet
from harness.domain.exchange import Exchange, Request
from harness.domain.record import RowChange, StepRecord
from harness.domain.rows import TableSchema

Key = int | str


@dataclass(slots=True, kw_only=True)
class _Kind:
    """The pairs of one table or collection; a pair whose life ended stays until one of its keys is taken again."""

    to_target: dict[Key, Key] = field(default_factory=dict)
    to_legacy: dict[Key, Key] = field(default_factory=dict)
    ended: set[Key] = field(default_factory=set)
    collections: set[str] = field(default_factory=set)

    @property
    def is_trivial(self) -> bool:
        return all(mine == theirs for mine, theirs in self.to_target.items())

    def image(self, key: Key) -> Key:
        """The target's key. An unknown key is its own image, or where that is another row's, the chain's free end."""
        if key in self.to_target:
            return self.to_target[key]
        while key in self.to_legacy:
            key = self.to_legacy[key]
        return key

    def pair(self, legacy: Key, target: Key) -> bool:
        """Learns a pair; False, and nothing learned, where a key of it lives in another pair."""
        others = {legacy: self.to_target.get(legacy, target), self.to_legacy.get(target, legacy): target}
        broken = [key for key, image in others.items() if (key, image) != (legacy, target) and key not in self.ended]
        if broken:
            return False
        for key in (legacy, self.to_legacy.get(target, legacy)):
            self.to_legacy.pop(self.to_target.pop(key, target), None)
            self.ended.discard(key)
        self.to_target[legacy], self.to_legacy[target] = target, legacy
        return True


class Identity:
    """Grows with every step of one session; a new session starts with a new one.

    Guarantees that the mapping is one-to-one at any time: a pair that would break that is reported, not learned.
    """

    def __init__(self, mapping: RowMapping | None = None) -> None:
        self._mapping = mapping or RowMapping()
        self._kinds: dict[str, _Kind] = {}
        self.reused: tuple[str, ...] = ()
        """Keys that the last step gave to a new row after their old row was deleted, such as `trades/101`."""

    @property
    def is_trivial(self) -> bool:
        """Whether every known row has the same key on both sides."""
        return all(kind.is_trivial for kind in self._kinds.values())

    def pairs(self, kind: str) -> Mapping[Key, Key]:
        """Legacy key to target key of one table or collection."""
        return dict(self._kinds[kind].to_target) if kind in self._kinds else {}

    def image(self, kind: str, key: Key) -> Key:
        """The target's key of a row."""
        return self._kinds[kind].image(key) if kind in self._kinds else key

    def is_pair(self, legacy: object, target: object) -> bool:
        """Whether some kind has learned the two as one row."""
        if not isinstance(legacy, int | str) or not isinstance(target, int | str):
            return False
        return any(kind.to_target.get(legacy) == target for kind in self._kinds.values())

    def is_known(self, legacy: object, target: object) -> bool:
        """Whether either key belongs to a learned pair."""
        return any(
            (isinstance(legacy, int | str) and legacy in kind.to_target)
            or (isinstance(target, int | str) and target in kind.to_legacy)
            for kind in self._kinds.values()
        )

    def learn(
        self,
        record: StepRecord,
        schemas: Mapping[str, TableSchema],
        target_schemas: Mapping[str, TableSchema] | None = None,
    ) -> tuple[Difference, ...]:
        """Takes in what a step created and deleted; returns what would break the bijection.

        `schemas` are the legacy's; the target's default to the same.
        """
        broken = self.learn_rows(record, schemas, target_schemas)
        return (*broken, *self.learn_answers(record))

    def learn_rows(
        self,
        record: StepRecord,
        schemas: Mapping[str, TableSchema],
        target_schemas: Mapping[str, TableSchema] | None = None,
    ) -> tuple[Difference, ...]:
        """Takes in the rows that a step created and deleted: what they show does not depend on the answer."""
        self.reused = ()
        self._end_lives(record)
        return tuple(self._learn_rows(record, schemas, target_schemas or schemas))

    def learn_answers(self, record: StepRecord) -> tuple[Difference, ...]:
        """Takes in the ids that both sides' answers to a create give, where no rows say better."""
        return tuple(self._learn_answers(record))

    def to_target(self, request: Request) -> tuple[Request, tuple[str, ...]]:
        """The request with the target's keys in place of the legacy's, and what was changed (`/api/x/5: 5 -> 6`).

        Keys are replaced in path segments, in query values of id-like names, and at id-like members of a JSON body.
        What is not a known row's key is left byte for byte as it was.
        """
        if self.is_trivial:
            return request, ()
        url, changes = self._rekey_url(request.url)
        body, body_changes = self._rekey_body(request)
        return structs.replace(request, url=url, body=body), (*changes, *body_changes)

    def to_target_url(self, url: str) -> str:
        """An address of the legacy's as the target would give it."""
        return url if self.is_trivial else self._rekey_url(url)[0]

    def to_target_value(self, path: str, value: object) -> object:
        """A parsed answer or body of a request to `path` with the target's keys at id-like members."""
        if self.is_trivial:
            return value
        return rekey(value, lambda name, key: self._image_of(path, name, key))

    def _image_of(self, path: str, name: str, key: Key) -> Key:
        kind = self._kind_for(path, name, key)
        return kind.image(key) if kind is not None else key

    def _kind_for(self, path: str, name: str, key: Key) -> _Kind | None:
        stem = name.removesuffix("s").removesuffix("_id").removesuffix("Id")
        if name.removesuffix("s").lower() != "id" and stem:
            return next((kind for table, kind in self._kinds.items() if table.startswith(stem) and stem), None)
        at_home = [kind for kind in self._kinds.values() if any(_is_under(path, home) for home in kind.collections)]
        if at_home:
            return at_home[0]
        # No collection names the kind: only where no other kind could mean the same key.
        knowing = [kind for kind in self._kinds.values() if kind.image(key) != key or key in kind.to_target]
        return knowing[0] if len(knowing) == 1 else None

    def _rekey_url(self, url: str) -> tuple[str, tuple[str, ...]]:
        address, mark, query = url.partition("?")
        segments = address.split("/")
        changes: list[str] = []
        for n, segment in enumerate(segments):
            home = "/".join(segments[:n])
            replaced = self._rekey_text(home, "id", segment) if n else segment
            if replaced != segment:
                changes.append(f"{home}/{segment}: {unquote(segment)} -> {unquote(replaced)}")
                segments[n] = replaced
        pairs = []
        for pair in query.split("&"):
            name, equals, text = pair.partition("=")
            values = [self._rekey_text(address, name, part) if is_id_name(name) else part for part in text.split(",")]
            if ",".join(values) != text:
                changes.append(f"?{name}: {unquote(text)} -> {unquote(','.join(values))}")
            pairs.append(f"{name}{equals}{','.join(values)}")
        return f"{'/'.join(segments)}{mark}{'&'.join(pairs)}", tuple(changes)

    def _rekey_text(self, path: str, name: str, text: str) -> str:
        plain = unquote(text)
        key: Key = int(plain) if _is_plain_integer(plain) else plain
        image = self._image_of(path, name, key)
        return text if image == key else quote(str(image), safe="")

    def _rekey_body(self, request: Request) -> tuple[bytes | None, tuple[str, ...]]:
        document = parse_json(request.body) if request.body else None
        if document is None or document.duplicates:
            return request.body, ()
        path = request.url.partition("?")[0]
        changes: list[str] = []

        def image(name: str, key: Key) -> Key:
            found = self._image_of(path, name, key)
            if found != key:
                changes.append(f"{name}: {key} -> {found}")
            return found

        value = rekey(document.value, image)
        return (to_text(value).encode("utf-8", "surrogatepass"), tuple(changes)) if changes else (request.body, ())

    def _end_lives(self, record: StepRecord) -> None:
        gone = {(change.table, change.key) for change in record.target_changes if change.after is None}
        for change in record.legacy_changes:
            key = _single(change.key)
            if change.after is None and key is not None:
                kind = self._kinds.setdefault(change.table, _Kind())
                if (self._mapping.target_table(change.table), (kind.image(key),)) in gone:
                    kind.ended.add(key)
        if not record.legacy_changes and not record.target_changes and record.pair.legacy.request.method == "DELETE":
            self._end_by_answer(record)

    def _end_by_answer(self, record: StepRecord) -> None:
        home, _, last = record.pair.legacy.request.url.partition("?")[0].rstrip("/").rpartition("/")
        key: Key = int(last) if _is_plain_integer(last) else unquote(last)
        for kind in self._kinds.values():
            if home in kind.collections and _succeeded(record.pair.legacy) and _succeeded(record.pair.target):
                kind.ended.add(key)

    def _learn_rows(
        self, record: StepRecord, schemas: Mapping[str, TableSchema], target_schemas: Mapping[str, TableSchema]
    ) -> list[Difference]:
        broken: list[Difference] = []
        inserts = sorted(_inserts(record.legacy_changes), key=lambda change: change.table)
        for table, changes in groupby(inserts, key=lambda change: change.table):
            name = self._mapping.target_table(table)
            theirs = [change for change in _inserts(record.target_changes) if change.table == name]
            if table in schemas and name in target_schemas:
                columns = pair_tables(schemas[table], target_schemas[name], self._mapping)
                for mine, other in pair_inserts(list(changes), theirs, columns):
                    broken += self._learn_pair(table, mine.key, other.key)
        return broken

    def _learn_pair(self, kind: str, legacy: tuple[object, ...], target: tuple[object, ...]) -> list[Difference]:
        mine, theirs = _single(legacy), _single(target)
        if mine is None or theirs is None or not may_name_one_row(mine, theirs):
            return []
        known = self._kinds.setdefault(kind, _Kind())
        was_ended = mine in known.ended
        if not known.pair(mine, theirs):
            return [_broken(f"/{kind}/{mine}", mine, theirs)]
        if was_ended and mine != theirs:
            self.reused += (f"{kind}/{mine}",)
        return []

    def _learn_answers(self, record: StepRecord) -> list[Difference]:
        legacy, target = record.pair.legacy, record.pair.target
        if not is_create(record):
            return []
        mine, theirs = _ids_of(legacy), _ids_of(target)
        home = legacy.request.url.partition("?")[0].rstrip("/")
        broken: list[Difference] = []
        for name in mine.keys() & theirs.keys():
            if str(mine[name]) in home.split("/"):  # an action on a row, not a create
                continue
            table = self._table_with(record, mine[name], theirs[name])
            if table is not None and name == "id":
                self._kinds.setdefault(table, _Kind()).collections.add(home)
            elif not record.legacy_changes and not record.target_changes:
                kind = home if name == "id" else f"{home}#{name}"
                broken += self._learn_pair(kind, (mine[name],), (theirs[name],))
                self._kinds.setdefault(kind, _Kind()).collections.add(home)
        return broken

    def _table_with(self, record: StepRecord, legacy: Key, target: Key) -> str | None:
        tables = {change.table for change in _inserts(record.legacy_changes) if change.key == (legacy,)}
        return next((table for table in sorted(tables) if self.image(table, legacy) == target), None)


def is_create(record: StepRecord) -> bool:
    """Whether both sides answered what may have been a create with success."""
    legacy, target = record.pair.legacy, record.pair.target
    return legacy.request.method in ("POST", "PUT") and _succeeded(legacy) and _succeeded(target)


def _inserts(changes: Iterable[RowChange]) -> list[RowChange]:
    return [change for change in changes if change.before is None and change.after is not None]


def _single(key: tuple[object, ...]) -> Key | None:
    if len(key) != 1 or isinstance(key[0], bool) or not isinstance(key[0], int | str):
        return None
    return key[0]


def _succeeded(exchange: Exchange) -> bool:
    return exchange.response is not None and 200 <= exchange.response.status < 300


def _ids_of(exchange: Exchange) -> dict[str, Key]:
    document = parse_json(exchange.response.body) if exchange.response is not None else None
    if document is None or not isinstance(document.value, dict):
        return {}
    return {
        name: value
        for name, value in document.value.items()
        if is_id_name(name) and isinstance(value, int | str) and not isinstance(value, bool)
    }


def _is_plain_integer(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19 and str(int(text)) == text


def _is_under(path: str, home: str) -> bool:
    return path.rstrip("/") == home or path.startswith(f"{home}/")


def _broken(pointer: str, legacy: Key, target: Key) -> Difference:
    return Difference(
        facet=Facet.ROW,
        pointer=pointer,
        kind=DifferenceKind.IDENTITY,
        legacy=to_text(legacy),
        target=to_text(target),
    )
