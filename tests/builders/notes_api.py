"""A FastAPI application whose document names no links."""

from fastapi import FastAPI, HTTPException, Query
from pydantic import BaseModel, Field


class NewNote(BaseModel):
    """What a client writes."""

    title: str = Field(min_length=1, max_length=20)
    stars: int | None = None


class Note(NewNote):
    """What is kept."""

    id: int


def create_app(defect: str = "", first_id: str = "1") -> FastAPI:
    """The application, with its notes in memory; `shout` and `gone` are defects that can be planted."""
    app = FastAPI()
    notes: dict[int, Note] = {}
    missing: dict[int | str, dict[str, object]] = {404: {"description": "no such note"}}

    def find(note_id: int) -> Note:
        if note_id not in notes:
            raise HTTPException(404, "no such note")
        return notes[note_id]

    @app.post("/notes", status_code=201)
    async def create(note: NewNote) -> Note:
        made = Note(id=int(first_id) + len(notes), **note.model_dump())
        notes[made.id] = made
        return made

    @app.get("/notes")
    async def show(limit: int = Query(10, ge=1, le=100)) -> list[Note]:
        if defect == "gone":
            raise HTTPException(410, "no longer")
        return list(notes.values())[:limit]

    @app.get("/notes/{note_id}", responses=missing)
    async def read(note_id: int) -> Note:
        note = find(note_id)
        return note.model_copy(update={"title": note.title + "!"}) if defect == "shout" else note

    @app.put("/notes/{note_id}", responses=missing)
    async def replace(note_id: int, note: NewNote) -> Note:
        find(note_id)
        notes[note_id] = Note(id=note_id, **note.model_dump())
        return notes[note_id]

    return app
