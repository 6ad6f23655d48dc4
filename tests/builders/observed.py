"""Builds sessions that were run, from a few words."""

from harness.domain.description import DescribedOperation, Parameter, Place
from harness.domain.generation import Exercise, Observed
from harness.domain.operation import OperationTemplates
from harness.domain.session import Session, Step
from tests.builders.records import answer
from tests.builders.records import step as step_record

DESCRIBED = {
    "GET /things": DescribedOperation(parameters=(Parameter(Place.QUERY, "page"),), statuses=("200",)),
    "GET /things/{id}": DescribedOperation(parameters=(Parameter(Place.PATH, "id"),), statuses=("200", "404")),
    "POST /things": DescribedOperation(parameters=(Parameter(Place.BODY, "name"),), statuses=("201",)),
}
EXERCISE = Exercise(DESCRIBED, OperationTemplates(["/things", "/things/{id}"]))


def observed(*steps: str, target: bool = False) -> Observed:
    """A session of steps such as `GET /things 200`, `GET /things/{{a}} 200 404` or `POST /things 201 saves a`."""
    made, exchanges = [], []
    for number, text in enumerate(steps, start=1):
        method, url, status, *rest = text.split()
        save = ((rest[rest.index("saves") + 1], "/id"),) if "saves" in rest else ()
        made.append(Step(n=number, name=text, method=method, url=url, save=save))
        other = int(rest[0]) if rest and rest[0].isdigit() else int(status)
        pair = step_record(answer({}, int(status)), answer({}, other), f"{method} {url}").pair
        exchanges.append((pair.legacy, pair.target) if target else (pair.legacy,))
    return Observed(session=Session(id="", group="root", steps=tuple(made)), exchanges=tuple(exchanges))
